#include "app/process/supervisor.hpp"

#include <algorithm>
#include <csignal>
#include <system_error>
#include <utility>

#include "app/process/preload.hpp"
#include "app/process/reaper.hpp"
#include "app/process/run_at.hpp"
#include "app/process/settings_memfd.hpp"
#include "common/awake_clock.hpp"
#include "common/config/hang_allowance.hpp"
#include "common/config/schema.hpp"
#include "common/fault_point.hpp"
#include "common/log.hpp"
#include "common/system/resident_memory.hpp"
#include "ipc/prediction_codec.hpp"

namespace yolod::app::process {
namespace {

using common::AwakeClock;
using common::Outcome;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kAbortGrace{2};
// If recycle.max_rss is less than the memory of a new worker, every worker is always over the limit. Without this
// pause, each call of recycle() would then start a successor.
constexpr std::chrono::seconds kBetweenMemoryRecycles{10};
constexpr std::chrono::seconds kLeaveGrace{5};

ipc::LaneGeometry lane_geometry(const common::ModelConfig& config) {
  return ipc::make_lane_geometry(config.batch.size_limit(), ipc::result_bytes_for(config));
}

}  // namespace

Supervisor::Supervisor(boost::asio::io_context& io, const common::ModelConfig& config, const SpawnSettings& spawn,
                       const ipc::InputArena& arena, ChildTable& children, Start start, Events events)
    : io_(io),
      config_(config),
      spawn_(spawn),
      arena_(arena),
      children_(children),
      beside_(start == Start::kBeside),
      events_(std::move(events)),
      respawning_(start, [this](const std::string& reason) { events_.gave_up(reason); }),
      geometry_(lane_geometry(config)),
      config_yaml_(common::emit_model(config)),
      preload_(preloads(config, kBuiltWithCuda)),
      loader_(io, config.name, config.load_timeout,
              {[this](LoaderEvents loader_events) { return launch_loader(std::move(loader_events)); },
               [this](const LoaderProcess& loader) { loader_became_ready(loader); },
               [this](pid_t pid, const DeniedCall& call) { tell_of_denied("loader", pid, call); },
               [this](DeathCause cause, const std::string& reason) { return respawning_.gives_up(cause, reason); },
               [this] { return respawning_.is_on(); },
               [this](RespawnPolicy& policy, DeathCause cause, const std::string& what) {
                 return respawning_.next_start(policy, cause, what);
               }}),
      slots_(io, config.workers) {}

void Supervisor::add_worker() { start_process(slots_.add()); }

bool Supervisor::remove_worker() {
  WorkerSlot* const spare = slots_.one_to_spare();
  if (spare == nullptr) return false;
  let_leave(*spare);
  return true;
}

void Supervisor::let_leave(WorkerSlot& slot) {
  if (!slot.process) {
    slots_.remove(slot);
    return;
  }
  slot.leaving = true;
  slot.leaves_since = AwakeClock::now();
  if (slot.process->was_ready()) {
    slot.process->ask_to_stop();
  } else {
    slot.process->retire();  // if it becomes ready after all, it gets no work
    slot.process->send_signal(SIGTERM);
  }
  if (slot.condemned) return;  // its watchdog already has an earlier deadline
  // The worker may first finish all of its batches. Afterwards it has no request, so the check for hung workers does
  // not see it any more. This watchdog kills it if it does not end.
  run_at(slot.watchdog, AwakeClock::now() + common::longest_hang_allowance(config_) + kLeaveGrace, slot.lifeline,
         [this, &slot, launch_id = slot.last_launch_id] {
           if (slot.still_has(launch_id)) condemn(*slot.process, "it did not stop after the front-end had asked it to");
         });
}

bool Supervisor::is_worn(const WorkerProcess& worker, bool may_be_too_large) const {
  const auto& limits = config_.recycle;
  return (limits.max_requests != 0 && worker.requests_served() >= limits.max_requests) ||
         (may_be_too_large && limits.max_rss_bytes != 0 &&
          common::resident_bytes(worker.pid()) >= limits.max_rss_bytes);
}

std::optional<std::uint64_t> Supervisor::may_have_yet(std::uint64_t given) const {
  const std::uint64_t most = config_.recycle.max_requests;
  if (most == 0 || !preload_ || !loader_.is_ready() || !respawning_.is_on()) return std::nullopt;
  // While a slot has no process, recycle() replaces no worker. A limit would only make requests wait.
  if (!slots_.all_have_processes()) return std::nullopt;
  return most - std::min(most, given);
}

void Supervisor::recycle() {
  if (config_.recycle == common::RecycleConfig{} || !respawning_.is_on() || respawning_.is_candidate() || !all_ready())
    return;
  const auto now = AwakeClock::now();
  const bool memory_counts = now - recycled_for_memory_ >= kBetweenMemoryRecycles;
  const auto worn = std::find_if(slots_.begin(), slots_.end(),
                                 [&](const auto& slot) { return is_worn(*slot->process, memory_counts); });
  if (worn == slots_.end()) return;
  const auto old = *worn;
  if (!is_worn(*old->process, false)) recycled_for_memory_ = now;
  common::log_info("worker {} ({}) is recycled: it served {} requests and has {} MiB of memory", old->process->pid(),
                   config_.name, old->process->requests_served(), common::resident_bytes(old->process->pid()) >> 20U);
  start_process(slots_.add_successor(old));
  common::reach(common::FaultPoint::kFrontEndRecycles);
}

void Supervisor::start(WorkerEventSink& listener) {
  listener_ = &listener;
  if (preload_) loader_.start();
  for (const auto& slot : slots_) start_process(*slot);
}

// All processes of a model share one pipe: forked workers inherit it from their loader.
Outcome<int> Supervisor::open_output() {
  if (!output_) {
    auto opened = WorkerOutput::open(io_, "model " + config_.name);
    if (!opened) return opened.error();
    output_ = std::move(*opened);
  }
  return output_->write_end();
}

// ---- the loader ----

LoaderSlot::Started Supervisor::launch_loader(LoaderEvents loader_events) {
  // If other workers serve, the loader loads at low priority.
  const bool others_serve = ready_count() != 0 || (beside_ && respawning_.is_candidate());
  const auto kind = others_serve ? ChildKind::kBackgroundLoader : ChildKind::kLoader;
  const auto output = open_output();
  if (!output) return output.error();
  auto started = LoaderProcess::start(io_, spawn_, arena_, config_yaml_, *output, kind, std::move(loader_events));
  if (started) {
    loader_child_ = children_.add((*started)->pid(), [this](const Death& death) { loader_reaped(death); });
  }
  return started;
}

void Supervisor::tell_of_sandbox(const common::SandboxState& state) {
  if (state.missing.empty() || std::exchange(told_of_sandbox_, true)) return;
  common::log_warning(
      "model {}: its workers serve in an incomplete sandbox (Landlock: {}, seccomp: {}): {}. "
      "If the config said sandbox: required, they would not serve",
      config_.name, state.landlock_abi == 0 ? "off" : "on", state.seccomp ? "on" : "off", state.missing);
}

void Supervisor::tell_of_denied(std::string_view process, pid_t pid, const DeniedCall& call) const {
  const std::string of = call.path.empty() ? "" : " of \"" + call.path + "\"";
  common::log_warning(
      "{} {} ({}): its sandbox denied it the system call {}{}, which failed with: {}. The process continues. "
      "Its later denied calls are not logged",
      process, pid, config_.name, name_of(call), of,
      std::generic_category().message(static_cast<int>(call.soft_errno)));
}

void Supervisor::loader_became_ready(const LoaderProcess& loader) {
  tell_of_sandbox(loader.sandbox());
  last_load_time_ = loader.load_time();
  for (const auto& slot : slots_) {
    if (std::exchange(slot->waits_for_loader, false) && respawning_.is_on()) start_process(*slot);
  }
}

// ---- workers ----

Outcome<pid_t> Supervisor::launch(const ipc::LentDescriptors& descriptors) {
  if (preload_) {
    if (loader_.fork_worker(descriptors)) return pid_t{0};
    return common::Error{common::ErrorCode::kSystem, "its loader did not accept the command to fork it"};
  }
  const auto output = open_output();
  if (!output) return output.error();
  const auto config = make_settings_memfd(config_yaml_);
  if (!config) return config.error();
  return spawn(spawn_, spec_of(ChildKind::kWorker),
               {.output = *output,
                .control = descriptors.control,
                .lane = descriptors.lane,
                .arena = arena_.descriptor(),
                .doorbell = descriptors.doorbell,
                .config = config->get()});
}

std::optional<common::Clock::time_point> Supervisor::next_ready() const {
  if (!respawning_.is_on() || slots_.empty()) return std::nullopt;
  // A process that is overdue may become ready at any time.
  const auto loaded_at = [this, now = AwakeClock::now()](common::Clock::time_point start) {
    return std::max(now, start + last_load_time_);
  };
  if (preload_ && !loader_.is_ready()) return loaded_at(loader_.starts_at());
  auto first = common::Clock::time_point::max();
  for (const auto& slot : slots_) {
    if (!slot->leaving) first = std::min(first, preload_ ? slot->starts_at : loaded_at(slot->starts_at));
  }
  return first;
}

void Supervisor::start_process(WorkerSlot& slot) {
  if (!respawning_.is_on()) return;
  slot.starts_at = AwakeClock::now();
  slot.waits_for_loader = preload_ && !loader_.is_ready();
  if (slot.waits_for_loader) return;
  slot.condemned = slot.was_stopped = false;
  slot.last_launch_id = children_.new_launch_id();
  slot.loader = preload_ ? loader_.pid() : 0;
  WorkerEvents events;
  events.ready = [this, &slot](WorkerProcess&) { became_ready(slot); };
  events.completions = [this](WorkerProcess& worker) { listener_->worker_completions(worker); };
  events.broken = [this](WorkerProcess& worker, std::string_view why) { condemn(worker, why); };
  events.denied = [this](WorkerProcess& worker, const DeniedCall& call) {
    tell_of_denied("worker", worker.pid(), call);
  };
  events.claims = [this, &slot](pid_t pid) { return claim(slot, pid); };
  events.vanished = [this, &slot](WorkerProcess&) { died(slot, Death::before_hello()); };
  auto started = WorkerProcess::start(io_, geometry_, {config_.name, slot.seat, slot.last_launch_id}, std::move(events),
                                      [this](const ipc::LentDescriptors& descriptors) { return launch(descriptors); });
  if (!started) {
    if (respawning_.gives_up(DeathCause::kOwnFault, started.error().message)) return;
    replace(slot, DeathCause::kOwnFault,
            fmt::format("a worker ({}) cannot be started: {}", config_.name, started.error().message));
    return;
  }
  slot.process = std::move(*started);
  const auto on_reaped = [this, &slot](const Death& death) { worker_reaped(slot, death); };
  if (slot.process->pid() != 0) {
    slot.child = children_.add(slot.process->pid(), on_reaped);
  } else {
    const auto is_it = [&slot](pid_t pid) {
      slot.process->learn_pid(pid);
      return slot.has_pid(pid);
    };
    slot.child = children_.expect(is_it, on_reaped);
  }
  common::log_debug("worker {} ({}) started in seat {} of its model", slot.process->pid(), config_.name, slot.seat);
  run_at(slot.watchdog, AwakeClock::now() + config_.load_timeout, slot.lifeline,
         [this, &slot, launch_id = slot.last_launch_id] { kill_unless_ready(slot, launch_id); });
}

void Supervisor::became_ready(WorkerSlot& slot) {
  common::reach(common::FaultPoint::kFrontEndHeardReady);
  slot.watchdog.cancel();
  slot.policy.on_ready(AwakeClock::now());
  respawning_.was_ready();
  if (!preload_) last_load_time_ = slot.process->load_time();
  if (is_of_this_loader(slot)) loader_.process()->worker_passed_its_test();
  tell_of_sandbox(slot.process->sandbox());
  const auto& description = slot.process->description();
  common::log_info("worker {} ({}) is ready: {} on {}{}{}, {} in {} ms", slot.process->pid(), config_.name,
                   description.task, description.device, description.precision.empty() ? "" : " in ",
                   description.precision, preload_ ? "forked" : "loaded", slot.process->load_time().count());
  listener_->worker_ready(*slot.process, *this);
  if (const auto old = slot.successor_of.lock()) {
    slot.successor_of.reset();
    let_leave(*old);
    common::reach(common::FaultPoint::kFrontEndRecycled);
  }
  events_.ready_changed();
}

void Supervisor::kill_unless_ready(WorkerSlot& slot, std::uint64_t launch_id) {
  if (!slot.still_has(launch_id) || slot.process->was_ready()) return;
  condemn(*slot.process, "not ready after load_timeout");
}

bool Supervisor::begin_to_kill(WorkerProcess& worker, std::string_view why) {
  WorkerSlot& slot = slots_.of(worker);
  if (slot.condemned) return false;
  slot.condemned = true;
  worker.retire();
  common::log_error("worker {} ({}) is killed: {}", worker.pid(), config_.name, why);
  return true;
}

void Supervisor::condemn(WorkerProcess& worker, std::string_view why) {
  if (!begin_to_kill(worker, why)) return;
  worker.send_signal(SIGKILL);
  if (worker.pid() != 0) return;
  // The pid is unknown: either the loader has not forked the worker, or another process has sent the hello. Kill the
  // loader, so that it cannot fork this worker later. When the loader ends, its end of the worker's control channel
  // closes. Call died() from the event loop, because an event of that channel may have called this function.
  loader_.condemn("it did not fork the worker that it was asked for");
  WorkerSlot& slot = slots_.of(worker);
  run_at(slot.watchdog, AwakeClock::now(), slot.lifeline, [this, &slot, launch_id = slot.last_launch_id] {
    if (slot.still_has(launch_id) && slot.process->pid() == 0) died(slot, Death::before_hello());
  });
}

bool Supervisor::claim(WorkerSlot& slot, pid_t pid) {
  if (children_.has(pid) || !is_child(pid)) return false;
  slot.child = children_.add(pid, [this, &slot](const Death& death) { worker_reaped(slot, death); });
  return true;
}

void Supervisor::condemn_hung(WorkerProcess& worker, std::string_view why) {
  if (!begin_to_kill(worker, why)) return;
  WorkerSlot& slot = slots_.of(worker);
  slot.was_stopped = is_stopped(worker.pid());  // if so, its requests are not the cause
  common::reach(common::FaultPoint::kFrontEndFoundHung);
  worker.send_signal(SIGABRT);
  worker.send_signal(SIGCONT);  // a stopped process handles no signal but SIGKILL
  run_at(slot.watchdog, AwakeClock::now() + kAbortGrace, slot.lifeline, [&slot, launch_id = slot.last_launch_id] {
    if (slot.still_has(launch_id)) slot.process->send_signal(SIGKILL);
  });
}

void Supervisor::loader_reaped(const Death& death) {
  output_->read_now();
  loader_.reaped(death, !respawning_.is_on());
  if (!any_alive()) events_.none_left();
}

void Supervisor::worker_reaped(WorkerSlot& slot, const Death& death) {
  output_->read_now();
  died(slot, death);
  if (!any_alive()) events_.none_left();
}

void Supervisor::died(WorkerSlot& slot, Death death) {
  common::reach(common::FaultPoint::kFrontEndReaped);
  slot.watchdog.cancel();
  WorkerProcess& worker = *slot.process;
  worker.read_last_words();
  const bool was_ready = worker.was_ready();
  const DeathCause cause = slot.was_stopped ? DeathCause::kExternal
                           : slot.condemned ? DeathCause::kOwnFault
                                            : spec_of(ChildKind::kWorker).classify(death, was_ready);
  const bool at_work = listener_->worker_died(worker, cause);
  if (was_ready && cause == DeathCause::kOwnFault && worker.predictions_made() == 0 && is_of_this_loader(slot)) {
    loader_.process()->test_next_worker();  // it was ready, but made no prediction
  }
  slots_.keep_count_of(worker);
  const pid_t pid = worker.pid();
  const std::string load_failure = worker.load_failure();
  if (worker.fatal_call()) death.denied_call = name_of(*worker.fatal_call());
  slot.child = {};
  slot.process.reset();
  events_.ready_changed();

  // A worker that has a successor is not replaced.
  slot.leaving |= slots_.has_successor(slot);
  if (slot.leaving) {
    common::log_info("worker {} ({}) is removed", pid, config_.name);
    slots_.remove(slot);
    return;
  }
  if (!respawning_.is_on()) {
    common::log_debug("worker {} ({}) is gone: {}", pid, config_.name, describe(death));
    return;
  }
  if (respawning_.gives_up(
          cause, load_failure.empty() ? "its worker ended while it loaded: " + describe(death) : load_failure)) {
    return;
  }
  std::string what =
      fmt::format("worker {} ({}) {} {}", pid, config_.name, death.signaled ? "died of" : "exited:", describe(death));
  if (!was_ready) what += " before it was ready";
  if (!load_failure.empty()) what += ": " + load_failure;
  events_.restarted(reason_label(death));
  // If the device was lost, the requests are not the cause, and the next worker on that device may lose it too. Then
  // the delay grows with each death, as for any fault of a worker.
  const bool device_lost = !death.signaled && death.number == ipc::kExitDeviceLost;
  if (at_work && cause == DeathCause::kOwnFault && !device_lost) {
    replace(slot, DeathCause::kExternal, what, respawning_.wait_after_death_at_work(slots_.predictions_made()));
  } else {
    replace(slot, cause, what);
  }
}

void Supervisor::replace(WorkerSlot& slot, DeathCause cause, const std::string& what, milliseconds least_wait) {
  const auto at = respawning_.next_start(slot.policy, cause, what, least_wait);
  if (!at) return;
  ++slot.restarts;
  slot.starts_at = *at;
  // Even without a delay, the event loop starts the process later: the caller may still be reaping other children.
  run_at(slot.respawn_timer, *at, slot.lifeline, [this, &slot] {
    if (respawning_.is_on() && !slot.process) start_process(slot);
  });
}

void Supervisor::stop_respawning() {
  respawning_.stop();
  loader_.stop_waiting();
  for (const auto& slot : slots_) slot->respawn_timer.cancel();
}

void Supervisor::ask_all_to_stop() {
  loader_.ask_to_stop();
  for (const auto& slot : slots_) {
    if (!slot->process) continue;
    if (slot->process->was_ready()) {
      slot->process->ask_to_stop();
    } else {
      slot->process->send_signal(SIGTERM);
    }
  }
}

void Supervisor::signal_all(int signal) {
  loader_.send_signal(signal);
  for (const auto& slot : slots_) {
    if (slot->process) slot->process->send_signal(signal);
  }
}

void Supervisor::forget_unseen() {
  for (const auto& slot : slots_.copy()) {  // died() may remove a slot
    if (slot->has_pid(0)) died(*slot, Death::before_hello());
  }
}

std::optional<LoaderStatus> Supervisor::loader_status() const {
  if (!preload_) return std::nullopt;
  return loader_.status();
}

milliseconds Supervisor::load_time(const WorkerProcess& worker) const {
  return preload_ ? last_load_time_ : worker.load_time();
}

std::uint64_t Supervisor::memory_bytes() const {
  // own_bytes() of a forked worker includes the pages that it shares with its loader. The worker shares at most as
  // many bytes as the loader has, so count only the bytes beyond that number.
  const std::uint64_t common_bytes = common::own_bytes(loader_.pid());
  return common_bytes + common::given_back_bytes(loader_.pid()) + slots_.own_bytes_beyond(common_bytes);
}

std::uint64_t Supervisor::lane_bytes_of(const common::ModelConfig& config) {
  return ipc::lane_bytes(lane_geometry(config));
}

}  // namespace yolod::app::process
