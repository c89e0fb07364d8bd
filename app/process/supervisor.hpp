// Keeps one model's workers alive: starts them, hears of their lives, replaces the dead. What the workers are asked
// to do is the dispatcher's (app/schedule); this class never looks into a lane.
//
// Where the model is loaded once (`preload`), a loader comes first, and workers are forked from it; its death costs a
// new loader, and the workers that live serve on. Else each worker is executed and loads by itself.
//
// The loader has a slot of its own (loader_slot), the workers have worker_slots; whether and when a process is replaced
// is respawning's. The functions here are the events of the workers' lives, and the questions that others ask of them.
//
// Front-end only, its one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/process/child_table.hpp"
#include "app/process/loader_process.hpp"
#include "app/process/loader_slot.hpp"
#include "app/process/respawning.hpp"
#include "app/process/spawn.hpp"
#include "app/process/worker_event_sink.hpp"
#include "app/process/worker_output.hpp"
#include "app/process/worker_process.hpp"
#include "app/process/worker_slots.hpp"
#include "app/process/worker_status.hpp"
#include "common/awake_clock.hpp"
#include "common/config/model_config.hpp"
#include "common/domain/sandbox_state.hpp"
#include "ipc/input_arena.hpp"

namespace yolod::app::process {

class Supervisor {
 public:
  struct Events {
    // Nothing more is started: `reason` is one line.
    std::function<void(const std::string& reason)> gave_up;
    std::function<void(const std::string& reason_label)> restarted;
    std::function<void()> ready_changed;
    std::function<void()> none_left;  // the last of its processes was reaped
  };

  // `config`, `spawn`, `arena` and `children` outlive this object.
  Supervisor(boost::asio::io_context& io, const common::ModelConfig& config, const SpawnSettings& spawn,
             const ipc::InputArena& arena, ChildTable& children, Start start, Events events);

  // Starts every worker. `listener` outlives this object.
  void start(WorkerEventSink& listener);
  void end_trial() { respawning_.end_trial(); }

  // One worker more, or one less: that one takes no more work, finishes what it has and goes. False: it is the last.
  void add_worker();
  [[nodiscard]] bool remove_worker();

  // Replaces a worker that has served or grown as much as `recycle` allows. One at a time, while all serve, and it goes
  // when its replacement is ready. To be called every so often.
  void recycle();
  // Some worker has been told to leave, and is still there after a time in which most are gone.
  [[nodiscard]] bool any_leaves_slowly() const { return slots_.any_leaves_slowly(common::AwakeClock::now()); }
  // An earlier generation of it has: so no number of failed loads makes it one that cannot be served.
  void model_has_served() { respawning_.has_served(); }
  // How many requests that worker may have yet, of those it has been given `given`; nothing: as many as come. A worker
  // whose successor would have to load first serves on beyond recycle.max_requests until that is ready.
  [[nodiscard]] std::optional<std::uint64_t> may_have_yet(std::uint64_t given) const;

  // The worker wrote or did what a sane one does not: it is killed, and its death counts as its own doing. One that
  // nobody knows by its pid yet loses its channel, and its loader goes.
  void condemn(WorkerProcess& worker, std::string_view why);
  // It made no progress: SIGABRT, and SIGKILL 2 s later. Its death counts as its own doing.
  void condemn_hung(WorkerProcess& worker, std::string_view why);

  // No worker is replaced from now on.
  void stop_respawning();
  void ask_all_to_stop();
  void signal_all(int signal);

  // Stops waiting for workers that were to be forked and have not said hello: there may be none.
  void forget_unseen();

  [[nodiscard]] const common::ModelConfig& config() const { return config_; }
  [[nodiscard]] bool any_alive() const { return loader_.is_alive() || slots_.any_has_process(); }
  [[nodiscard]] bool all_ready() const { return ready_count() == slots_.size(); }
  // Calls with each worker that is ready or busy.
  void for_each_ready(const std::function<void(WorkerProcess&)>& each) const { slots_.for_each_ready(each); }
  [[nodiscard]] bool was_ready() const { return respawning_.model_was_ready(); }
  [[nodiscard]] std::uint32_t ready_count() const { return slots_.ready_count(); }
  // When a worker may be ready, where none is: as far as the waits before a process is started and the last load tell.
  // Nothing: none will be.
  [[nodiscard]] std::optional<common::Clock::time_point> next_ready() const;
  [[nodiscard]] std::vector<WorkerStatus> status() const { return slots_.status(); }
  [[nodiscard]] std::optional<LoaderStatus> loader_status() const;  // nothing where each worker loads by itself
  // How long loading took for this worker: its own load, or its loader's.
  [[nodiscard]] std::chrono::milliseconds load_time(const WorkerProcess& worker) const;
  // What its loader and workers have of their own, and what the loader took beyond that: about as much as another
  // generation of them would take, or less, where forked workers have replaced pages that they had in common.
  [[nodiscard]] std::uint64_t memory_bytes() const;
  // Bytes of shared memory that one worker of such a model takes.
  [[nodiscard]] static std::uint64_t lane_bytes_of(const common::ModelConfig& config);

 private:
  void let_leave(WorkerSlot& slot);
  [[nodiscard]] bool is_worn(const WorkerProcess& worker, bool may_be_too_large) const;
  // Says once what a process's sandbox lacks.
  void tell_of_sandbox(const common::SandboxState& state);
  void tell_of_denied(std::string_view process, pid_t pid, const DeniedCall& call) const;

  // What its processes have for stdout and stderr.
  [[nodiscard]] common::Outcome<int> open_output();
  [[nodiscard]] LoaderSlot::Started launch_loader(LoaderEvents loader_events);
  void loader_became_ready(const LoaderProcess& loader);
  // Whether the worker was forked from the loader that there is now, and not from one before it.
  [[nodiscard]] bool is_of_this_loader(const WorkerSlot& slot) const {
    return loader_.is_alive() && loader_.pid() == slot.loader;
  }

  void start_process(WorkerSlot& slot);
  [[nodiscard]] common::Outcome<pid_t> launch(const ipc::LentDescriptors& descriptors);
  // It was reaped, and is now replaced as RespawnPolicy says.
  void worker_reaped(WorkerSlot& slot, const Death& death);
  void loader_reaped(const Death& death);
  void died(WorkerSlot& slot, Death death);
  void replace(WorkerSlot& slot, DeathCause cause, const std::string& what, std::chrono::milliseconds least_wait = {});
  void became_ready(WorkerSlot& slot);
  // False if it is being killed already.
  [[nodiscard]] bool begin_to_kill(WorkerProcess& worker, std::string_view why);
  void kill_unless_ready(WorkerSlot& slot, std::uint64_t launch_id);
  // A process says hello in this slot's name. False if it cannot be its worker: it must be our child, and nobody
  // else's.
  [[nodiscard]] bool claim(WorkerSlot& slot, pid_t pid);

  boost::asio::io_context& io_;
  const common::ModelConfig& config_;
  const SpawnSettings& spawn_;
  const ipc::InputArena& arena_;
  ChildTable& children_;
  const bool beside_;
  Events events_;
  Respawning respawning_;
  WorkerEventSink* listener_{nullptr};
  ipc::LaneGeometry geometry_;
  std::string config_yaml_;
  const bool preload_;
  std::unique_ptr<WorkerOutput> output_;  // once a process has been started
  LoaderSlot loader_;
  ChildTable::Entry loader_child_;
  std::chrono::milliseconds last_load_time_{0};
  WorkerSlots slots_;
  common::Clock::time_point recycled_for_memory_;
  bool told_of_sandbox_{false};
};

}  // namespace yolod::app::process
