// A slot stands for one of the workers that a model is to have. It holds the process that is this worker now, and knows
// when there will be another.
//
//   empty --start--> has a process --death--> empty, until the policy's time has come --> ...
//                         \--leaving: taken away, or has a successor--death--> (the slot goes as well)
//
// Owned by the supervisor, which alone changes it. Front-end only, its one thread.
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

  // Whether the process that was started as `launch_id` is still there.
  [[nodiscard]] bool still_has(std::uint64_t launch_id) const { return process && last_launch_id == launch_id; }
  [[nodiscard]] bool has_pid(pid_t pid) const { return process && process->pid() == pid; }
  [[nodiscard]] bool serves() const { return process && process->serves(); }
  // Neither leaves nor stands in for one that does.
  [[nodiscard]] bool stays() const { return !leaving && successor_of.expired(); }

  std::uint32_t seat{0};  // its worker's device follows from it; a successor has its predecessor's
  std::unique_ptr<WorkerProcess> process;
  ChildTable::Entry child;  // the process's
  std::uint64_t last_launch_id{0};
  pid_t loader{0};                      // that its worker was to be forked from
  common::Clock::time_point starts_at;  // its process; in the past if it has
  bool waits_for_loader{false};

  bool condemned{false};    // it is being killed for what it did
  bool was_stopped{false};  // and condemned since it made no progress
  bool leaving{false};      // not replaced: it goes with its worker
  common::Clock::time_point leaves_since;
  std::weak_ptr<WorkerSlot> successor_of;  // that leaves when this is ready

  RespawnPolicy policy;
  std::uint64_t restarts{0};
  boost::asio::steady_timer respawn_timer;
  boost::asio::steady_timer watchdog;  // load_timeout, then the SIGKILL after a SIGABRT
  common::Lifeline lifeline;
};

}  // namespace yolod::app::process
