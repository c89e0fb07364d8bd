#include "app/serving/model_pool.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <map>
#include <utility>

#include "app/process/run_at.hpp"
#include "common/awake_clock.hpp"
#include "common/config/hang_allowance.hpp"
#include "common/fault_point.hpp"
#include "common/log.hpp"

namespace yolod::app::serving {

using common::AwakeClock;
using common::Error;
using common::ErrorCode;
using common::ModelConfig;
using common::Outcome;

struct ModelPool::Generation {
  Generation(ModelPool& pool, std::uint64_t count, std::shared_ptr<const ModelConfig> settings, process::Start start)
      : number(count),
        config(std::move(settings)),
        supervisor(
            pool.context_.io, *config, pool.context_.spawn, pool.context_.arena, pool.context_.children, start,
            {[&pool, this](const std::string& reason) {
               if (pool.candidate_.get() == this) {
                 pool.fail_candidate(reason);
               } else if (pool.serving_.get() == this) {
                 pool.events_.gave_up(pool, reason);
               }
             },
             [&pool](const std::string& reason) { pool.metrics_.restarted(reason); }, [&pool] { pool.ready_changed(); },
             [&pool] {
               if (!pool.retiring_.empty()) pool.post(&ModelPool::bury);
             }}),
        overdue(pool.context_.io) {}

  const std::uint64_t number;
  const std::shared_ptr<const ModelConfig> config;
  process::Supervisor supervisor;
  boost::asio::steady_timer overdue;  // kills the workers that still run long after the generation retired
  common::Lifeline lifeline;
};

ModelPool::ModelPool(PoolContext& context, ModelConfig config, Events events, std::uint64_t generations_before)
    : context_(context),
      name_(config.name),
      config_(std::make_shared<const ModelConfig>(std::move(config))),
      events_(std::move(events)),
      metrics_(context.metrics, name_),
      dispatcher_(context.io, *config_, metrics_, context.completion_poll, [this] { return next_worker(); }),
      served_{config_.get(), dispatcher_, metrics_, 0},
      generation_count_(generations_before) {}

ModelPool::~ModelPool() {
  if (!stopping_) common::log_debug("model {}: is gone", name_);
}

std::uint64_t ModelPool::memory_bytes() const { return serving_ ? serving_->supervisor.memory_bytes() : 0; }

// During a reload in place, the candidate or the old settings will start workers soon.
std::optional<common::Clock::time_point> ModelPool::next_worker() const {
  if (serving_) return serving_->supervisor.next_ready();
  if (candidate_ || next_config_ || (!retired_ && !stopping_)) return AwakeClock::now();
  return std::nullopt;
}

std::unique_ptr<ModelPool::Generation> ModelPool::make_generation(std::shared_ptr<const ModelConfig> config,
                                                                  process::Start start) {
  auto generation = std::make_unique<Generation>(*this, ++generation_count_, std::move(config), start);
  if (was_ready_) generation->supervisor.model_has_served();
  return generation;
}

void ModelPool::start(process::Start start) {
  retired_ = false;
  serve_own(start);
}

// Starts a generation with the present settings and lets it serve.
void ModelPool::serve_own(process::Start start) {
  serving_ = make_generation(config_, start);
  served_.generation = serving_->number;
  metrics_.generation(serving_->number);
  serving_->supervisor.start(*this);
}

void ModelPool::ready_changed() {
  was_ready_ = was_ready_ || (serving_ && serving_->supervisor.was_ready());
  events_.ready_changed();
}

// ---- reload ----

void ModelPool::reload(ModelConfig config, Reloaded done) {
  reloaded_ = std::move(done);
  next_config_ = std::make_shared<const ModelConfig>(std::move(config));
  common::log_info("model {}: reloading", name_);
  if (serving_ && next_config_->reload == common::ReloadMode::kInPlace) let_go(std::move(serving_));
  if (retiring_.empty()) start_candidate();  // otherwise bury() calls it later
}

void ModelPool::start_candidate() {
  candidate_ = make_generation(std::exchange(next_config_, nullptr),
                               serving_ ? process::Start::kBeside : process::Start::kCandidate);
  candidate_->supervisor.start(*this);
}

void ModelPool::swap_in() {
  if (stopping_ || !candidate_ || !candidate_->supervisor.all_ready()) return;
  auto old = std::exchange(serving_, std::move(candidate_));
  serving_->supervisor.candidate_serves();
  retired_ = false;
  config_ = serving_->config;
  served_.config = config_.get();
  served_.generation = serving_->number;
  dispatcher_.use(*config_);
  serving_->supervisor.for_each_ready(
      [this](process::WorkerProcess& worker) { give_work_to(worker, serving_->supervisor); });
  common::reach(common::FaultPoint::kFrontEndSwapped);
  metrics_.generation(serving_->number);
  common::log_info("model {}: generation {} serves", name_, serving_->number);
  if (old) let_go(std::move(old));
  ready_changed();
  end_reload({});
}

void ModelPool::fail_candidate(const std::string& reason) {
  common::log_error("model {}: reload failed, {}: {}", name_,
                    retired_   ? "it is not served"
                    : serving_ ? "the old generation continues to serve"
                               : "the old settings are loaded again",
                    reason);
  let_go(std::move(candidate_));  // if no generation serves, bury() loads the old settings again
  end_reload(Error{ErrorCode::kBadModel, reason});
}

// Calls the callback later: it may start the next reload, and this call comes from inside an event of a worker.
void ModelPool::end_reload(const Outcome<void>& result) {
  if (!reloaded_) return;
  boost::asio::post(context_.io, [done = std::exchange(reloaded_, nullptr), result] { done(result); });
}

void ModelPool::let_go(std::unique_ptr<Generation> generation) {
  Generation& leaving = *generation;
  retiring_.push_back(std::move(generation));
  leaving.supervisor.stop_respawning();
  leaving.supervisor.ask_all_to_stop();
  common::reach(common::FaultPoint::kFrontEndLetGo);
  // The workers may need as long as a request or a batch may take. After that time and kGrace, the pool kills them.
  constexpr std::chrono::seconds kGrace{5};
  process::run_at(leaving.overdue, AwakeClock::now() + common::longest_hang_allowance(*leaving.config) + kGrace,
                  leaving.lifeline, [&leaving] { leaving.supervisor.signal_all(SIGKILL); });
  post(&ModelPool::bury);
}

// Calls the function later, unless this pool is destroyed before.
void ModelPool::post(void (ModelPool::*what)()) {
  boost::asio::post(context_.io, lifeline_.guard([this, what] { (this->*what)(); }));
}

// Destroys the generations whose processes have all been reaped, then starts the generation that waited for that.
// Never call it from inside an event of a generation.
void ModelPool::bury() {
  std::erase_if(retiring_, [](const auto& generation) { return !generation->supervisor.any_alive(); });
  if (!retiring_.empty() || stopping_) return;
  if (next_config_) {
    start_candidate();
  } else if (!serving_ && !candidate_ && !retired_) {
    serve_own(process::Start::kServing);
  }
}

void ModelPool::retire() {
  retired_ = true;
  next_config_ = nullptr;
  if (candidate_) let_go(std::move(candidate_));
  if (serving_) let_go(std::move(serving_));
  dispatcher_.close({ErrorCode::kUnknownModel, "the model is not served any more"});
  end_reload(Error{ErrorCode::kUnknownModel, "the model was removed"});
}

// ---- workers ----

void ModelPool::worker_ready(process::WorkerProcess& worker, process::Supervisor& supervisor) {
  if (serving_ && &supervisor == &serving_->supervisor) {
    give_work_to(worker, supervisor);
  } else if (candidate_ && &supervisor == &candidate_->supervisor) {
    post(&ModelPool::swap_in);
  }
}

void ModelPool::give_work_to(process::WorkerProcess& worker, process::Supervisor& supervisor) {
  dispatcher_.worker_ready(links_.try_emplace(&worker, worker, supervisor).first->second);
}

// A worker may ring before it is ready. It has no link yet, and the dispatcher has put no request into its lane.
void ModelPool::worker_completions(process::WorkerProcess& worker) {
  if (const auto link = links_.find(&worker); link != links_.end()) dispatcher_.worker_completions(link->second);
}

bool ModelPool::worker_died(process::WorkerProcess& worker, process::DeathCause cause) {
  auto link = links_.extract(&worker);
  if (link.empty()) return false;
  return dispatcher_.worker_ended(link.mapped(), cause == process::DeathCause::kExternal
                                                     ? schedule::WorkerEnd::kExternal
                                                     : schedule::WorkerEnd::kWorkerFault);
}

void ModelPool::tick() {
  if (!retiring_.empty()) bury();  // the pool gets no event when a worker vanishes
  if (serving_) serving_->supervisor.recycle();
  dispatcher_.look_again();
}

void ModelPool::add_worker() {
  if (serving_ && serving_->supervisor.status().size() < common::kMostWorkers) serving_->supervisor.add_worker();
}

void ModelPool::remove_worker() {
  if (serving_ && !serving_->supervisor.remove_worker()) {
    common::log_warning("model {}: its last worker stays", name_);
  }
}

void ModelPool::each_generation(const std::function<void(Generation&)>& each) {
  if (serving_) each(*serving_);
  if (candidate_) each(*candidate_);
  for (const auto& generation : retiring_) each(*generation);
}

// ---- the server's stop ----

void ModelPool::stop_respawning() {
  stopping_ = true;
  next_config_ = nullptr;
  each_generation([](Generation& generation) { generation.supervisor.stop_respawning(); });
}
void ModelPool::ask_all_to_stop() {
  each_generation([](Generation& generation) { generation.supervisor.ask_all_to_stop(); });
}
void ModelPool::signal_all(int signal) {
  each_generation([signal](Generation& generation) { generation.supervisor.signal_all(signal); });
}
void ModelPool::forget_unseen() {
  each_generation([](Generation& generation) { generation.supervisor.forget_unseen(); });
}

bool ModelPool::any_alive() const {
  const auto alive = [](const auto& generation) { return generation && generation->supervisor.any_alive(); };
  return alive(serving_) || alive(candidate_) || std::any_of(retiring_.begin(), retiring_.end(), alive);
}

// ---- what is shown ----

ModelStatus ModelPool::status() const {
  ModelStatus status;
  status.name = name_;
  status.queued = dispatcher_.queued_count();
  status.queue_limit = config_->queue.max_size;
  const schedule::BatchLimits limits = dispatcher_.batch_limits();
  status.batch_size = limits.max_size;
  status.batch_wait = limits.max_wait;
  status.reloading = reloading();
  const auto add = [&status](const Generation& generation, bool also_dead) {
    for (auto& worker : generation.supervisor.status()) {
      worker.generation = generation.number;
      if (also_dead || worker.pid != 0) status.workers.push_back(std::move(worker));
    }
  };
  if (serving_) {
    status.generation = serving_->number;
    status.workers_ready = serving_->supervisor.ready_count();
    status.workers_wanted = static_cast<std::uint32_t>(serving_->supervisor.status().size());
    status.loader = serving_->supervisor.loader_status();
    add(*serving_, true);
  }
  if (candidate_) add(*candidate_, false);
  for (const auto& generation : retiring_) add(*generation, false);
  status.ready = status.workers_ready != 0;
  return status;
}

void ModelPool::update_metrics() {
  std::map<std::string, double> by_state{{"starting", 0}, {"loading", 0},  {"ready", 0},
                                         {"busy", 0},     {"draining", 0}, {"dead", 0}};
  double serving = 0;
  double with_landlock = 0;
  double with_seccomp = 0;
  for (const process::WorkerStatus& worker : status().workers) {
    ++by_state[worker.state];
    if (worker.state != "ready" && worker.state != "busy") continue;
    ++serving;
    if (worker.sandbox.landlock_abi != 0) ++with_landlock;
    if (worker.sandbox.seccomp) ++with_seccomp;
  }
  for (const auto& [state, count] : by_state) metrics_.workers(state, count);
  if (serving == 0) return;  // without a serving worker there is no new value
  metrics_.sandbox("landlock", with_landlock == serving);
  metrics_.sandbox("seccomp", with_seccomp == serving);
}

}  // namespace yolod::app::serving
