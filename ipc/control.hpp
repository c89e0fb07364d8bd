// The control channel connects the front-end to one worker, or to a loader that forks workers. It is a SOCK_SEQPACKET
// socket pair. The worker sends milestones; the front-end sends wake-ups and the stop command. End-of-file tells each
// side that the other side is gone. The kernel reports the sender's pid with each milestone.
//
// Every call on the front-end's end passes MSG_DONTWAIT, so a worker cannot make the front-end block.
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
  kHello = 1,       // the process has called exec, uses this layout and begins to load
  kReady = 2,       // the model is loaded and warm, SIGINT is restored, and the description lies in the lane
  kLoadFailed = 3,  // `text` has the reason; the process exits with kExitBadModel
  kDenied = 4,  // the sandbox refused a system call (denied_call, denied_errno); `text` is the path in its arguments
};

// The bits of MilestoneMessage::sandbox_parts.
inline constexpr std::uint32_t kSandboxSeccomp = 1;

// The worker sends each milestone as one message.
struct MilestoneMessage {
  std::uint64_t magic;
  std::uint32_t version;
  Milestone milestone;
  std::uint64_t launch_id;
  std::uint32_t description_bytes;  // with kReady
  std::uint32_t load_ms;            // with kReady
  std::uint32_t sandbox_mode;       // with kReady: common::SandboxMode; `text` names the missing part and the reason
  std::uint32_t sandbox_parts;      // with kReady
  std::uint32_t landlock_abi;       // with kReady; 0: Landlock is not active
  std::uint32_t denied_call;        // with kDenied: the call's number on this processor
  std::uint32_t denied_errno;       // with kDenied: the errno that the call returned; 0: SIGSYS ends the process
  std::uint32_t text_bytes;
  char text[1016];
};
static_assert(sizeof(MilestoneMessage) == 1072);

// The front-end sends each command as one byte. The fork commands go to a loader only and carry descriptors
// (ipc/fork_command.hpp).
enum class Command : unsigned char {
  kWake = 'w',
  kStop = 's',
  kFork = 'f',
  kForkProven = 'p',  // as kFork, but an identical worker of this loader has passed the self-test: skip it
};

// Returns {front-end's end, worker's end}; both are close-on-exec.
[[nodiscard]] common::Outcome<std::pair<common::UniqueFd, common::UniqueFd>> make_control_channel();

// ---- The worker's side ----
[[nodiscard]] MilestoneMessage make_milestone(Milestone milestone, std::uint64_t launch_id, std::string_view text = {});
// Returns false if the front-end is gone.
bool send_milestone(int descriptor, const MilestoneMessage& message);
// Waits for a command; a signal may end the process meanwhile. Returns nullopt if the front-end is gone.
[[nodiscard]] std::optional<Command> wait_for_command(int descriptor);
// Returns whether a command or end-of-file arrives within `time`. A signal may end the wait early.
[[nodiscard]] bool command_comes_within(int descriptor, std::chrono::milliseconds time);
// Returns a command if one is already in the socket.
[[nodiscard]] std::optional<Command> poll_command(int descriptor);

// Adds the active parts of the sandbox to a kReady message, and truncates a long `missing`.
void put_sandbox(MilestoneMessage& message, const common::SandboxState& state);

// ---- The front-end's side ----
//
// Returns the reason of a kLoadFailed message: never empty, and safe for the log and for JSON. The child may have
// sent any bytes, and the text may have been cut within a character.
[[nodiscard]] std::string load_failure_of(const MilestoneMessage& message);
// Returns the sandbox state of a kReady message. Its text is safe for the log.
[[nodiscard]] common::SandboxState sandbox_of(const MilestoneMessage& message);
enum class ReceiveResult { kReceived, kNothingYet, kClosed, kMalformed };
// Copies one message into `out`, and the sender's pid as the kernel reports it into `sender`. Returns kMalformed for
// a message that a correct worker of launch `launch_id` does not send. Closes descriptors that arrive with the
// message.
[[nodiscard]] ReceiveResult receive_milestone(int descriptor, std::uint64_t launch_id, MilestoneMessage& out,
                                              pid_t& sender);
// Never waits. Returns false if the worker is gone. A full socket is no failure: it already holds wake-ups.
bool send_command(int descriptor, Command command);

}  // namespace yolod::ipc
