// Supervisor keeps one model's workers alive: it starts them, receives their events and replaces those that die. The
// dispatcher (app/schedule) gives the workers their requests; the supervisor never reads a lane.
//
// With `preload`, a loader loads the model once and the workers are forked from it. If the loader dies, the
// supervisor starts a new loader, and the live workers continue to serve. Without `preload`, each worker is executed
// and loads the model itself.
//
// LoaderSlot holds the loader, WorkerSlots holds the workers, and Respawning decides whether and when a process is
// replaced. The functions of this class handle the events of the workers, and answer questions about them.
//
// The pool owns it. Only the thread of the front-end may call it.
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

// The class is large, because each event of a loader or a worker may change the state of all others of its model.
class Supervisor {
 public:
  struct Events {
    // No process will be started any more. `reason` is one line.
    std::function<void(const std::string& reason)> gave_up;
    std::function<void(const std::string& reason_label)> restarted;
    std::function<void()> ready_changed;
    std::function<void()> none_left;  // the last process of the model was reaped
  };

  // `config`, `spawn`, `arena` and `children` outlive this object.
  Supervisor(boost::asio::io_context& io, const common::ModelConfig& config, const SpawnSettings& spawn,
             const ipc::InputArena& arena, ChildTable& children, Start start, Events events);

  // Starts every worker. `listener` outlives this object.
  void start(WorkerEventSink& listener);
  void candidate_serves() { respawning_.candidate_serves(); }

  // Adds or removes one worker. The removed worker takes no more work, finishes its requests and exits. Returns
  // false if it is the last worker.
  void add_worker();
  [[nodiscard]] bool remove_worker();

  // Replaces a worker that has reached a limit of `recycle`. It replaces one worker at a time, and only while all
  // workers serve. The old worker leaves when its successor is ready. Call this at regular intervals.
  void recycle();
  // Returns whether some worker still runs a while after the supervisor told it to leave. Most workers need less
  // time.
  [[nodiscard]] bool any_leaves_slowly() const { return slots_.any_leaves_slowly(common::AwakeClock::now()); }
  // An earlier generation of the model has served. Then no number of failed loads makes the supervisor give up.
  void model_has_served() { respawning_.has_served(); }
  // Returns how many more requests a worker may get after `given` requests, or nothing if there is no limit. If the
  // successor of the worker must load the model first, the worker serves beyond recycle.max_requests until the
  // successor is ready.
  [[nodiscard]] std::optional<std::uint64_t> may_have_yet(std::uint64_t given) const;

  // Kills the worker, because it wrote or did what a correct worker does not. Its death counts as its own doing. If
  // its pid is not known yet, the supervisor closes its channel and kills its loader.
  void condemn(WorkerProcess& worker, std::string_view why);
  // Ends a worker that made no progress: sends SIGABRT, and SIGKILL two seconds later. Its death counts as its own
  // doing, unless a signal had stopped it.
  void condemn_hung(WorkerProcess& worker, std::string_view why);

  // Replaces no process from now on.
  void stop_respawning();
  void ask_all_to_stop();
  void signal_all(int signal);

  // Stops waiting for workers that a loader was asked to fork and that have not said hello: they may not exist.
  void forget_unseen();

  [[nodiscard]] const common::ModelConfig& config() const { return config_; }
  [[nodiscard]] bool any_alive() const { return loader_.is_alive() || slots_.any_has_process(); }
  [[nodiscard]] bool all_ready() const { return ready_count() == slots_.size(); }
  // Calls `each` for each worker that is ready or busy.
  void for_each_ready(const std::function<void(WorkerProcess&)>& each) const { slots_.for_each_ready(each); }
  [[nodiscard]] bool was_ready() const { return respawning_.model_was_ready(); }
  [[nodiscard]] std::uint32_t ready_count() const { return slots_.ready_count(); }
  // Returns an estimate of when a worker is ready, from the delays before a start and the duration of the last load.
  // Use it if no worker is ready. Returns nothing if no worker will be started.
  [[nodiscard]] std::optional<common::Clock::time_point> next_ready() const;
  [[nodiscard]] std::vector<WorkerStatus> status() const { return slots_.status(); }
  // Returns nothing if each worker loads the model itself.
  [[nodiscard]] std::optional<LoaderStatus> loader_status() const;
  // Returns how long the model of this worker took to load, in the worker itself or in its loader.
  [[nodiscard]] std::chrono::milliseconds load_time(const WorkerProcess& worker) const;
  // Returns the private memory of the loader and the workers, and the memory that the loader used during the load
  // beyond that. Another generation needs about as much, or less if forked workers have copied pages that they
  // shared.
  [[nodiscard]] std::uint64_t memory_bytes() const;
  // Returns the bytes of shared memory that one worker of such a model takes.
  [[nodiscard]] static std::uint64_t lane_bytes_of(const common::ModelConfig& config);

 private:
  void let_leave(WorkerSlot& slot);
  [[nodiscard]] bool is_worn(const WorkerProcess& worker, bool may_be_too_large) const;
  // Logs once what is missing from the sandbox of a process.
  void tell_of_sandbox(const common::SandboxState& state);
  void tell_of_denied(std::string_view process, pid_t pid, const DeniedCall& call) const;

  // Returns the descriptor for the stdout and stderr of the model's processes.
  [[nodiscard]] common::Outcome<int> open_output();
  [[nodiscard]] LoaderSlot::Started launch_loader(LoaderEvents loader_events);
  void loader_became_ready(const LoaderProcess& loader);
  // Returns whether the worker was forked from the present loader, and not from an earlier one.
  [[nodiscard]] bool is_of_this_loader(const WorkerSlot& slot) const {
    return loader_.is_alive() && loader_.pid() == slot.loader;
  }

  void start_process(WorkerSlot& slot);
  [[nodiscard]] common::Outcome<pid_t> launch(const ipc::LentDescriptors& descriptors);
  // The worker was reaped. The supervisor replaces it as RespawnPolicy says.
  void worker_reaped(WorkerSlot& slot, const Death& death);
  void loader_reaped(const Death& death);
  void died(WorkerSlot& slot, Death death);
  void replace(WorkerSlot& slot, DeathCause cause, const std::string& what, std::chrono::milliseconds least_wait = {});
  void became_ready(WorkerSlot& slot);
  // Returns false if the worker is being killed already.
  [[nodiscard]] bool begin_to_kill(WorkerProcess& worker, std::string_view why);
  void kill_unless_ready(WorkerSlot& slot, std::uint64_t launch_id);
  // A process has sent a hello for this slot. Returns false if the process cannot be this slot's worker: it must be
  // a child of the front-end, and no other worker may have its pid.
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
  std::unique_ptr<WorkerOutput> output_;  // set once a process has been started
  LoaderSlot loader_;
  ChildTable::Entry loader_child_;
  std::chrono::milliseconds last_load_time_{0};
  WorkerSlots slots_;
  common::Clock::time_point recycled_for_memory_;
  bool told_of_sandbox_{false};
};

}  // namespace yolod::app::process
