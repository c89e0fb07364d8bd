// The loader's control channel carries one message for each worker to fork: the command and the new worker's own
// descriptors.
#pragma once

#include <optional>

#include "common/unique_fd.hpp"
#include "ipc/control.hpp"

namespace yolod::ipc {

// Descriptor numbers of the sending process, which continues to own them.
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

// The front-end calls it. Never waits. Returns false if the loader is gone, or if the channel is full because the
// loader has not read the earlier commands.
[[nodiscard]] bool send_fork(int descriptor, const LentDescriptors& descriptors, Command fork = Command::kFork);

[[nodiscard]] constexpr bool is_fork(Command command) {
  return command == Command::kFork || command == Command::kForkProven;
}

struct LoaderCommand {
  Command command{Command::kStop};
  WorkerDescriptors descriptors;  // with a fork command; close-on-exec
};

// The loader calls it. Waits for a command; a signal may end the process meanwhile. Returns nullopt if the front-end is
// gone or sent an invalid message.
[[nodiscard]] std::optional<LoaderCommand> wait_for_loader_command(int descriptor);

}  // namespace yolod::ipc
