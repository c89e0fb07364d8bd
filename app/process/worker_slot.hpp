// A slot represents one of the configured workers of a model. It holds the process that is this worker now, and the
// time at which the next one starts.
//
//   empty --start--> has a process --death--> empty, until RespawnPolicy's delay is over --> ...
//                         \--leaving: removed, or replaced by a successor--death--> (the slot is destroyed)
//
// The supervisor owns it, and only the supervisor changes it. Only the thread of the front-end may use it.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>

#include "app/process/child_table.hpp"
#include "app/process/respawn_policy.hpp"
#include "app/process/worker_process.hpp"
#include "common/clock.hpp"
#include "common/lifeline.hpp"

namespace yolod::app::process {

struct WorkerSlot {
  explicit WorkerSlot(boost::asio::io_context& io) : respawn_timer(io), watchdog(io) {}

  // Returns whether the slot still has the process that was started as `launch_id`.
  [[nodiscard]] bool still_has(std::uint64_t launch_id) const { return process && last_launch_id == launch_id; }
  [[nodiscard]] bool has_pid(pid_t pid) const { return process && process->pid() == pid; }
  [[nodiscard]] bool serves() const { return process && process->serves(); }
  // Returns whether the slot neither leaves nor is the successor of a slot that leaves.
  [[nodiscard]] bool stays() const { return !leaving && successor_of.expired(); }

  // The worker's device follows from its seat. A successor has the seat of its predecessor.
  std::uint32_t seat{0};
  std::unique_ptr<WorkerProcess> process;
  ChildTable::Entry child;  // of the process
  std::uint64_t last_launch_id{0};
  pid_t loader{0};                      // the loader that was asked to fork the worker
  common::Clock::time_point starts_at;  // when the process starts, or was started
  bool waits_for_loader{false};

  bool condemned{false};    // the front-end kills it for a fault
  bool was_stopped{false};  // a signal had stopped the worker when it was condemned because it hung
  // The slot is removed when its worker ends.
  bool leaving{false};
  common::Clock::time_point leaves_since;
  std::weak_ptr<WorkerSlot> successor_of;  // that slot leaves when this worker is ready

  RespawnPolicy policy;
  std::uint64_t restarts{0};
  boost::asio::steady_timer respawn_timer;
  boost::asio::steady_timer watchdog;  // for load_timeout, then for the SIGKILL after a SIGABRT
  common::Lifeline lifeline;
};

}  // namespace yolod::app::process
