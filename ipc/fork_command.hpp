// What a loader needs for one more worker: the command and that worker's own descriptors, in one message of the
// loader's control channel.
#pragma once

#include <optional>

#include "common/unique_fd.hpp"
#include "ipc/control.hpp"

namespace yolod::ipc {

// Numbers in the sending process, whose owner keeps them.
struct LentDescriptors {
  int control;
  int lane;
  int doorbell;
};

struct WorkerDescriptors {
  common::UniqueFd control;
  common::UniqueFd lane;
  common::UniqueFd doorbell;
};

// Front-end. Never waits; false if the loader is gone, or has not taken the commands before for so long that the
// channel is full.
[[nodiscard]] bool send_fork(int descriptor, const LentDescriptors& descriptors, Command fork = Command::kFork);

[[nodiscard]] constexpr bool is_fork(Command command) {
  return command == Command::kFork || command == Command::kForkProven;
}

struct LoaderCommand {
  Command command{Command::kStop};
  WorkerDescriptors descriptors;  // with a fork; close-on-exec
};

// Loader. Waits for a command (a signal may end the process meanwhile). Nothing: the front-end is gone, or sent what it
// never would.
[[nodiscard]] std::optional<LoaderCommand> wait_for_loader_command(int descriptor);

}  // namespace yolod::ipc
