#include "ipc/control.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/text.hpp"
#include "ipc/layout.hpp"

namespace yolod::ipc {
namespace {

std::optional<Command> receive_command(int descriptor, int flags) {
  unsigned char byte = 0;
  for (;;) {
    const ssize_t received = recv(descriptor, &byte, 1, flags);
    if (received == 1) return static_cast<Command>(byte);
    if (received < 0 && errno == EINTR) continue;
    return std::nullopt;
  }
}

bool can_be_sandbox(const MilestoneMessage& message) {
  constexpr auto kLastMode = static_cast<std::uint32_t>(common::SandboxMode::kReport);
  constexpr std::uint32_t kAllParts = kSandboxSeccomp;
  constexpr std::uint32_t kMostAbi = 1000;  // far above the version of any kernel
  return message.sandbox_mode <= kLastMode && (message.sandbox_parts & ~kAllParts) == 0 &&
         message.landlock_abi <= kMostAbi;
}

// Returns 0 if the kernel did not report the sender.
pid_t sender_of(const msghdr& header) {
  const cmsghdr* const first = CMSG_FIRSTHDR(&header);
  if (first == nullptr || first->cmsg_level != SOL_SOCKET || first->cmsg_type != SCM_CREDENTIALS) return 0;
  ucred sender{};
  std::memcpy(&sender, CMSG_DATA(first), sizeof sender);
  return sender.pid;
}

}  // namespace

common::Outcome<std::pair<common::UniqueFd, common::UniqueFd>> make_control_channel() {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return common::last_system_error("socketpair");
  std::pair made{common::UniqueFd(ends[0]), common::UniqueFd(ends[1])};
  const int on = 1;
  if (setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    return common::last_system_error("setsockopt SO_PASSCRED");
  }
  return made;
}

MilestoneMessage make_milestone(Milestone milestone, std::uint64_t launch_id, std::string_view text) {
  MilestoneMessage message{};
  message.magic = kMagic;
  message.version = kLayoutVersion;
  message.milestone = milestone;
  message.launch_id = launch_id;
  message.text_bytes = static_cast<std::uint32_t>(std::min(text.size(), sizeof message.text));
  if (message.text_bytes != 0) std::memcpy(message.text, text.data(), message.text_bytes);
  return message;
}

void put_sandbox(MilestoneMessage& message, const common::SandboxState& state) {
  message.sandbox_mode = static_cast<std::uint32_t>(state.mode);
  message.sandbox_parts = state.seccomp ? kSandboxSeccomp : 0;
  message.landlock_abi = state.landlock_abi;
  message.text_bytes = static_cast<std::uint32_t>(std::min(state.missing.size(), sizeof message.text));
  if (message.text_bytes != 0) std::memcpy(message.text, state.missing.data(), message.text_bytes);
}

std::string load_failure_of(const MilestoneMessage& message) {
  return message.text_bytes == 0 ? "the worker gave no reason" : common::printable({message.text, message.text_bytes});
}

common::SandboxState sandbox_of(const MilestoneMessage& message) {
  common::SandboxState state;
  state.mode = static_cast<common::SandboxMode>(message.sandbox_mode);
  state.seccomp = (message.sandbox_parts & kSandboxSeccomp) != 0;
  state.landlock_abi = message.landlock_abi;
  state.missing = common::printable({message.text, message.text_bytes});
  return state;
}

bool send_milestone(int descriptor, const MilestoneMessage& message) {
  for (;;) {
    const ssize_t sent = send(descriptor, &message, sizeof message, MSG_NOSIGNAL);
    if (sent >= 0) return true;
    if (errno != EINTR) return false;
  }
}

std::optional<Command> wait_for_command(int descriptor) { return receive_command(descriptor, 0); }
bool command_comes_within(int descriptor, std::chrono::milliseconds time) {
  pollfd readable{descriptor, POLLIN, 0};
  return poll(&readable, 1, static_cast<int>(time.count())) != 0;
}

std::optional<Command> poll_command(int descriptor) { return receive_command(descriptor, MSG_DONTWAIT); }

ReceiveResult receive_milestone(int descriptor, std::uint64_t launch_id, MilestoneMessage& out, pid_t& sender) {
  MilestoneMessage message{};
  iovec place{&message, sizeof message};
  // There is room for the credentials only, which come first: the kernel closes descriptors that do not fit.
  alignas(cmsghdr) char credentials[CMSG_SPACE(sizeof(ucred))]{};
  msghdr header{};
  header.msg_iov = &place;
  header.msg_iovlen = 1;
  header.msg_control = credentials;
  header.msg_controllen = sizeof credentials;
  // With MSG_TRUNC the return value is the message's real size, so this code sees that a message is too large.
  const ssize_t received = recvmsg(descriptor, &header, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
  if (received == 0) return ReceiveResult::kClosed;
  if (received < 0) {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? ReceiveResult::kNothingYet
                                                                     : ReceiveResult::kClosed;
  }
  const auto from = sender_of(header);
  if (received != sizeof message || from <= 0 || (header.msg_flags & MSG_CTRUNC) != 0 || message.magic != kMagic ||
      message.version != kLayoutVersion || message.launch_id != launch_id || message.text_bytes > sizeof message.text) {
    return ReceiveResult::kMalformed;
  }
  switch (message.milestone) {
    case Milestone::kReady:
      if (!can_be_sandbox(message)) return ReceiveResult::kMalformed;
      [[fallthrough]];
    case Milestone::kHello:
    case Milestone::kLoadFailed:
    case Milestone::kDenied:
      out = message;
      sender = from;
      return ReceiveResult::kReceived;
  }
  return ReceiveResult::kMalformed;
}

bool send_command(int descriptor, Command command) {
  const auto byte = static_cast<unsigned char>(command);
  const ssize_t sent = send(descriptor, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent == 1 || errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace yolod::ipc
