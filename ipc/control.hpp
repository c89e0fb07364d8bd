// The control channel of one worker, or of a loader that workers are forked from: a SOCK_SEQPACKET pair. It carries
// milestones to the front-end, and wake-ups and the wish to stop from it. Its end-of-file tells either side that the
// other is gone. The kernel says of each milestone which process sent it.
//
// Every call on the front-end's end passes MSG_DONTWAIT: nothing that a worker does can make it block.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/domain/sandbox_state.hpp"
#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::ipc {

enum class Milestone : std::uint32_t {
  kHello = 1,       // exec'd; speaks this layout; about to load
  kReady = 2,       // loaded, warmed up, SIGINT restored; its description lies in the lane
  kLoadFailed = 3,  // `text` says why; exits with kExitBadModel
  kDenied = 4,      // its sandbox refused a system call (denied_call, denied_errno); `text`: the path that it named
};

// Parts of a sandbox in MilestoneMessage::sandbox_parts.
inline constexpr std::uint32_t kSandboxSeccomp = 1;

// Worker to front-end, one message each.
struct MilestoneMessage {
  std::uint64_t magic;
  std::uint32_t version;
  Milestone milestone;
  std::uint64_t launch_id;
  std::uint32_t description_bytes;  // with kReady
  std::uint32_t load_ms;            // with kReady
  std::uint32_t sandbox_mode;       // with kReady: common::SandboxMode; `text` says which part is missing, and why
  std::uint32_t sandbox_parts;      // with kReady
  std::uint32_t landlock_abi;       // with kReady; 0: not in force
  std::uint32_t denied_call;        // with kDenied: the call's number on this processor
  std::uint32_t denied_errno;       // with kDenied: what the call returned; 0: the process ends by SIGSYS
  std::uint32_t text_bytes;
  char text[1016];
};
static_assert(sizeof(MilestoneMessage) == 1072);

// Front-end to worker, one byte each. The forks are for a loader, and bring descriptors (ipc/fork_command.hpp).
enum class Command : unsigned char {
  kWake = 'w',
  kStop = 's',
  kFork = 'f',
  kForkProven =
      'p',  // a worker of this loader has passed its self-test before: this one, which is the same, needs none
};

// {front-end's end, worker's end}, both close-on-exec.
[[nodiscard]] common::Outcome<std::pair<common::UniqueFd, common::UniqueFd>> make_control_channel();

// ---- worker's side ----
[[nodiscard]] MilestoneMessage make_milestone(Milestone milestone, std::uint64_t launch_id, std::string_view text = {});
// False if the front-end is gone.
bool send_milestone(int descriptor, const MilestoneMessage& message);
// Waits for a command (a signal may end the process meanwhile). Nothing: the front-end is gone.
[[nodiscard]] std::optional<Command> wait_for_command(int descriptor);
// Whether a command, or the front-end's end, comes within `time`; a signal may end the wait early.
[[nodiscard]] bool command_comes_within(int descriptor, std::chrono::milliseconds time);
// A command that is already there.
[[nodiscard]] std::optional<Command> poll_command(int descriptor);

// Adds what is in force to a kReady. A longer `missing` is cut.
void put_sandbox(MilestoneMessage& message, const common::SandboxState& state);

// ---- front-end's side ----
// Of a received kLoadFailed: never empty, and as it may stand in a log and in JSON. A child may have sent any bytes,
// and what it sent may be cut within a character.
[[nodiscard]] std::string load_failure_of(const MilestoneMessage& message);
// Of a received kReady. Its text is shown as it may stand in a log.
[[nodiscard]] common::SandboxState sandbox_of(const MilestoneMessage& message);
enum class ReceiveResult { kReceived, kNothingYet, kClosed, kMalformed };
// Copies one message out, and the pid of its sender as the kernel has it; kMalformed for what no sane worker of
// launch `launch_id` sends. Descriptors that come with it are closed.
[[nodiscard]] ReceiveResult receive_milestone(int descriptor, std::uint64_t launch_id, MilestoneMessage& out,
                                              pid_t& sender);
// Never waits. A full socket is fine for a wake-up (others are on their way); false if the worker is gone.
bool send_command(int descriptor, Command command);

}  // namespace yolod::ipc
