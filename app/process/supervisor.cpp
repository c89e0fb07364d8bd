#include "app/process/supervisor.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "app/process/config_file.hpp"
#include "common/config_schema.hpp"
#include "common/log.hpp"
#include "ipc/messages.hpp"

namespace yolod::app {
namespace {

using boost::system::error_code;
using common::Clock;
using common::Outcome;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kAbortGrace{2};

void say_replaced(const std::string& what, Clock::duration wait) {
  const auto ms = std::chrono::duration_cast<milliseconds>(wait).count();
  if (ms == 0) {
    common::log_warning("{}; replacing it now", what);
  } else {
    common::log_warning("{}; replacing it in {} ms", what, ms);
  }
}

// auto: on a CPU, where the copies of one process share what none of them writes to.
bool loads_once(const common::ModelConfig& config) { return config.preload != common::AutoBool::kFalse; }

ipc::LaneGeometry lane_geometry(const common::ModelConfig& config) {
  return ipc::make_lane_geometry(config.batch.max_size, ipc::result_bytes_for(config));
}

}  // namespace

Supervisor::Supervisor(boost::asio::io_context& io, const common::ModelConfig& config, const SpawnSettings& spawn,
                       const ipc::InputArena& arena, std::uint64_t& generations, FirstLoad first_load, Events events)
    : io_(io),
      config_(config),
      spawn_(spawn),
      arena_(arena),
      generations_(generations),
      first_load_(first_load),
      events_(std::move(events)),
      geometry_(lane_geometry(config)),
      config_yaml_(common::emit_model(config)),
      preload_(loads_once(config)),
      loader_timer_(io) {
  for (std::uint32_t index = 0; index < config.workers; ++index) {
    places_.push_back(std::make_unique<Place>(io));
    places_.back()->index = index;
  }
}

void Supervisor::start(WorkerListener& listener) {
  listener_ = &listener;
  if (preload_) start_loader();
  for (const auto& place : places_) start_process(*place);
}

// ---- the loader ----

void Supervisor::start_loader() {
  loader_condemned_ = false;
  auto started = LoaderProcess::start(io_, spawn_, arena_, config_yaml_,
                                      {[this](LoaderProcess&) { loader_became_ready(); },
                                       [this](LoaderProcess&, std::string_view why) { condemn_loader(why); }});
  if (!started) {
    if (first_load_ == FirstLoad::kOnce) {
      respawning_ = false;
      events_.gave_up(started.error().message);
      return;
    }
    replace_loader(DeathCause::kOwnDoing, "cannot start: " + started.error().message);
    return;
  }
  loader_ = std::move(*started);
  loader_timer_.expires_after(config_.load_timeout);
  loader_timer_.async_wait([this, pid = loader_->pid()](error_code failure) {
    if (!failure && loader_ && loader_->pid() == pid && !loader_->ready()) {
      condemn_loader("not ready after load_timeout");
    }
  });
}

void Supervisor::loader_became_ready() {
  loader_timer_.cancel();
  loader_policy_.on_ready(Clock::now());
  last_load_time_ = loader_->load_time();
  common::log_info("loader {} ({}): loaded in {} ms", loader_->pid(), config_.name, loader_->load_time().count());
  for (const auto& place : places_) {
    if (std::exchange(place->waits_for_loader, false) && respawning_) start_process(*place);
  }
}

void Supervisor::condemn_loader(std::string_view why) {
  if (loader_condemned_) return;
  loader_condemned_ = true;
  common::log_error("loader {} ({}) is killed: {}", loader_->pid(), config_.name, why);
  loader_->send_signal(SIGKILL);
}

void Supervisor::loader_died(const Death& death) {
  loader_timer_.cancel();
  loader_->read_last_words();
  const auto loader = std::exchange(loader_, nullptr);
  const auto cause = loader_condemned_ ? DeathCause::kOwnDoing : classify(death, loader->ready());
  if (!respawning_) {
    common::log_debug("loader {} ({}) is gone: {}", loader->pid(), config_.name, describe(death));
    return;
  }
  const auto& failure = loader->load_failure();
  if (!model_was_ready_ && (cause == DeathCause::kBadModel || first_load_ == FirstLoad::kOnce)) {
    respawning_ = false;
    events_.gave_up(failure.empty() ? "its loader ended while it loaded: " + describe(death) : failure);
    return;
  }
  std::string what = fmt::format("{} {}", death.signaled ? "died of" : "exited:", describe(death));
  if (!loader->ready()) what += " before it had loaded";
  if (!failure.empty()) what += ": " + failure;
  replace_loader(cause, fmt::format("loader {} ({}) {}", loader->pid(), config_.name, what));
}

void Supervisor::replace_loader(DeathCause cause, const std::string& what) {
  if (!respawning_) return;
  const auto now = Clock::now();
  const double jitter = std::uniform_real_distribution<>(0, 1)(jitter_);
  const auto at =
      std::max(rate_.reserve(now), now + loader_policy_.on_death(cause, model_was_ready_, now, jitter).delay);
  say_replaced(what, at - now);
  loader_timer_.expires_at(at);
  loader_timer_.async_wait([this](error_code failure) {
    if (!failure && respawning_ && !loader_) start_loader();
  });
}

// ---- workers ----

Outcome<pid_t> Supervisor::launch(const ipc::LentDescriptors& descriptors) {
  if (preload_) {
    if (loader_->fork_worker(descriptors)) return pid_t{0};
    return common::Error{common::ErrorCode::kSystem, "its loader does not listen"};
  }
  const auto config = make_config_file(config_yaml_);
  if (!config) return config.error();
  return spawn_worker(spawn_, WorkerRole::kWorker,
                      {.control = descriptors.control,
                       .lane = descriptors.lane,
                       .arena = arena_.descriptor(),
                       .doorbell = descriptors.doorbell,
                       .config = config->get()});
}

void Supervisor::start_process(Place& place) {
  place.waits_for_loader = preload_ && !loader_ready();
  if (place.waits_for_loader) return;
  place.condemned = false;
  place.last_generation = ++generations_;
  WorkerEvents events;
  events.ready = [this, &place](WorkerProcess&) { became_ready(place); };
  events.completions = [this](WorkerProcess& worker) { listener_->worker_completions(worker); };
  events.broken = [this](WorkerProcess& worker, std::string_view why) { condemn(worker, why); };
  events.vanished = [this, &place](WorkerProcess&) { died(place, Death::before_hello()); };
  auto started =
      WorkerProcess::start(io_, geometry_, {config_.name, place.index, place.last_generation}, std::move(events),
                           [this](const ipc::LentDescriptors& descriptors) { return launch(descriptors); });
  if (!started) {
    if (first_load_ == FirstLoad::kOnce) {
      respawning_ = false;
      events_.gave_up(started.error().message);
      return;
    }
    common::log_error("model {}: cannot start a worker: {}", config_.name, started.error().message);
    replace(place, DeathCause::kOwnDoing, "a failed start");
    return;
  }
  place.process = std::move(*started);
  common::log_debug("worker {} ({}) started", place.process->pid(), config_.name);
  place.watchdog.expires_after(config_.load_timeout);
  place.watchdog.async_wait([this, &place, generation = place.last_generation](error_code failure) {
    if (!failure) kill_unless_ready(place, generation);
  });
}

void Supervisor::became_ready(Place& place) {
  place.watchdog.cancel();
  place.policy.on_ready(Clock::now());
  model_was_ready_ = true;
  const auto& description = place.process->description();
  common::log_info("worker {} ({}) is ready: {} on {}{}{}, {} in {} ms", place.process->pid(), config_.name,
                   description.task, description.device, description.precision.empty() ? "" : " in ",
                   description.precision, preload_ ? "forked" : "loaded", place.process->load_time().count());
  listener_->worker_ready(*place.process);
  events_.ready_changed();
}

void Supervisor::kill_unless_ready(Place& place, std::uint64_t generation) {
  if (!place.process || place.last_generation != generation || place.process->was_ready()) return;
  condemn(*place.process, "not ready after load_timeout");
}

bool Supervisor::begin_to_kill(WorkerProcess& worker, std::string_view why) {
  Place& place = *places_[worker.place().index];
  if (place.condemned) return false;
  place.condemned = true;
  worker.retire();
  common::log_error("worker {} ({}) is killed: {}", worker.pid(), config_.name, why);
  return true;
}

void Supervisor::condemn(WorkerProcess& worker, std::string_view why) {
  if (begin_to_kill(worker, why)) worker.send_signal(SIGKILL);
}

void Supervisor::condemn_hung(WorkerProcess& worker, std::string_view why) {
  if (!begin_to_kill(worker, why)) return;
  Place& place = *places_[worker.place().index];
  worker.send_signal(SIGABRT);
  worker.send_signal(SIGCONT);  // a stopped process takes no signal but SIGKILL
  place.watchdog.expires_after(kAbortGrace);
  place.watchdog.async_wait([&place, generation = place.last_generation](error_code failure) {
    if (!failure && place.process && place.last_generation == generation) place.process->send_signal(SIGKILL);
  });
}

bool Supervisor::reaped(pid_t pid, const Death& death) {
  if (loader_ && loader_->pid() == pid) {
    loader_died(death);
    return true;
  }
  const auto find = [this, pid] {
    return std::find_if(places_.begin(), places_.end(),
                        [pid](const auto& place) { return place->process && place->process->pid() == pid; });
  };
  auto found = find();
  if (found == places_.end() && preload_) {
    // It may have been forked, said hello and died since we last looked.
    for (const auto& place : places_) {
      if (place->process && place->process->pid() == 0) place->process->learn_pid();
    }
    found = find();
  }
  if (found == places_.end()) return false;
  died(**found, death);
  return true;
}

void Supervisor::died(Place& place, const Death& death) {
  place.watchdog.cancel();
  WorkerProcess& worker = *place.process;
  worker.read_last_words();
  const bool was_ready = worker.was_ready();
  const DeathCause cause = place.condemned ? DeathCause::kOwnDoing : classify(death, was_ready);
  listener_->worker_died(worker, cause);
  const pid_t pid = worker.pid();
  const std::string load_failure = worker.load_failure();
  place.process.reset();
  events_.ready_changed();

  if (!respawning_) {
    common::log_debug("worker {} ({}) is gone: {}", pid, config_.name, describe(death));
    return;
  }
  if (!model_was_ready_ && (cause == DeathCause::kBadModel || first_load_ == FirstLoad::kOnce)) {
    respawning_ = false;
    events_.gave_up(load_failure.empty() ? "its worker ended while it loaded: " + describe(death) : load_failure);
    return;
  }
  std::string what =
      fmt::format("worker {} ({}) {} {}", pid, config_.name, death.signaled ? "died of" : "exited:", describe(death));
  if (!was_ready) what += " before it was ready";
  if (!load_failure.empty()) what += ": " + load_failure;
  events_.restarted(reason_label(death));
  replace(place, cause, what);
}

void Supervisor::replace(Place& place, DeathCause cause, const std::string& what) {
  if (!respawning_) return;
  const auto now = Clock::now();
  const double jitter = std::uniform_real_distribution<>(0, 1)(jitter_);
  const auto decision = place.policy.on_death(cause, model_was_ready_, now, jitter);
  const auto at = std::max(rate_.reserve(now), now + decision.delay);
  ++place.restarts;
  say_replaced(what, at - now);
  // Through the event loop also when at once: the caller may be in the middle of reaping others.
  place.respawn_timer.expires_at(at);
  place.respawn_timer.async_wait([this, &place](error_code failure) {
    if (!failure && respawning_ && !place.process) start_process(place);
  });
}

void Supervisor::stop_respawning() {
  respawning_ = false;
  loader_timer_.cancel();
  for (const auto& place : places_) place->respawn_timer.cancel();
}

void Supervisor::ask_all_to_stop() {
  if (loader_ && loader_->ready()) {
    loader_->ask_to_stop();
  } else if (loader_) {
    loader_->send_signal(SIGTERM);  // nobody waits for what it loads
  }
  for (const auto& place : places_) {
    if (!place->process) continue;
    if (place->process->was_ready()) {
      place->process->ask_to_stop();
    } else {
      place->process->send_signal(SIGTERM);
    }
  }
}

void Supervisor::signal_all(int signal) {
  if (loader_) loader_->send_signal(signal);
  for (const auto& place : places_) {
    if (place->process) place->process->send_signal(signal);
  }
}

void Supervisor::forget_unseen() {
  for (const auto& place : places_) {
    if (place->process && place->process->pid() == 0) died(*place, Death::before_hello());
  }
}

bool Supervisor::any_alive() const {
  return loader_ != nullptr ||
         std::any_of(places_.begin(), places_.end(), [](const auto& place) { return place->process != nullptr; });
}

std::uint32_t Supervisor::ready_count() const {
  return static_cast<std::uint32_t>(std::count_if(places_.begin(), places_.end(), [](const auto& place) {
    return place->process &&
           (place->process->state() == WorkerState::kReady || place->process->state() == WorkerState::kBusy);
  }));
}

std::vector<WorkerStatus> Supervisor::status() const {
  std::vector<WorkerStatus> all;
  for (const auto& place : places_) {
    WorkerStatus status;
    status.generation = place->last_generation;
    status.restarts = place->restarts;
    status.state = place->waits_for_loader ? "starting" : "dead";
    if (place->process) {
      status.pid = place->process->pid();
      status.state = to_string(place->process->state());
      status.requests = place->process->requests_served;
      status.device = place->process->description().device;
      status.precision = place->process->description().precision;
    }
    all.push_back(std::move(status));
  }
  return all;
}

std::optional<LoaderStatus> Supervisor::loader_status() const {
  if (!preload_) return std::nullopt;
  return loader_ ? LoaderStatus{loader_->pid(), loader_->ready()} : LoaderStatus{};
}

milliseconds Supervisor::load_time(const WorkerProcess& worker) const {
  return preload_ ? last_load_time_ : worker.load_time();
}

std::uint64_t Supervisor::lane_bytes_of(const common::ModelConfig& config) {
  return ipc::lane_bytes(lane_geometry(config));
}

}  // namespace yolod::app
