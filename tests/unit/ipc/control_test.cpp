#include "ipc/control.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "ipc/layout.hpp"

namespace yolod::ipc {
namespace {

constexpr std::uint64_t kLaunchId = 42;

struct Channel {
  Channel() {
    auto ends = make_control_channel();
    REQUIRE(ends);
    front_end = std::move(ends->first);
    worker = std::move(ends->second);
  }
  [[nodiscard]] ReceiveResult receive(MilestoneMessage& out) const {
    pid_t sender = 0;
    return receive_milestone(front_end.get(), kLaunchId, out, sender);
  }
  [[nodiscard]] ReceiveResult receive() const {
    MilestoneMessage ignored{};
    return receive(ignored);
  }

  common::UniqueFd front_end;
  common::UniqueFd worker;
};

bool send_with_descriptor(int socket, const MilestoneMessage& message, int descriptor) {
  auto copy = message;
  iovec place{&copy, sizeof copy};
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))]{};
  msghdr header{};
  header.msg_iov = &place;
  header.msg_iovlen = 1;
  header.msg_control = room;
  header.msg_controllen = sizeof room;
  cmsghdr* const rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
  return sendmsg(socket, &header, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof copy);
}

std::string_view text_of(const MilestoneMessage& message) { return {message.text, message.text_bytes}; }

TEST_CASE("Control: both ends are close-on-exec", "[ipc][unit]") {
  const Channel channel;
  CHECK((fcntl(channel.front_end.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((fcntl(channel.worker.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

// ---- milestones ----

TEST_CASE("Control: a milestone carries its kind, launch and text", "[ipc][unit]") {
  const auto message = make_milestone(Milestone::kLoadFailed, 7, "no such file");
  CHECK(message.magic == kMagic);
  CHECK(message.version == kLayoutVersion);
  CHECK(message.milestone == Milestone::kLoadFailed);
  CHECK(message.launch_id == 7);
  CHECK(text_of(message) == "no such file");
  CHECK(message.description_bytes == 0);
  CHECK(message.load_ms == 0);
}

TEST_CASE("Control: a milestone's text is cut to the available room", "[ipc][unit]") {
  const std::size_t length = GENERATE(as<std::size_t>{}, 0, 1, 1015, 1016, 1017, 100'000);
  const std::string text(length, 'x');
  const auto message = make_milestone(Milestone::kLoadFailed, 7, text);
  CHECK(text_of(message) == text.substr(0, 1016));
}

TEST_CASE("Control: the reason of a failed load is UTF-8 on one line, whatever was sent", "[ipc][unit]") {
  const auto said = [](std::string_view text) {
    return load_failure_of(make_milestone(Milestone::kLoadFailed, 7, text));
  };
  CHECK(said("no such file") == "no such file");
  CHECK(said("") == "the worker gave no reason");
  CHECK(said("caf\xE9.pt: no\nsuch file") == "caf\\xe9.pt: no\\nsuch file");
  // The last character is cut in two.
  std::string wide(1015, 'x');
  CHECK(said(wide + "\xC3\xA9") == wide + "\\xc3");
}

TEST_CASE("Control: a poll without a message returns nothing and does not block", "[ipc][unit]") {
  const Channel channel;
  MilestoneMessage out = make_milestone(Milestone::kHello, 5);
  CHECK(channel.receive(out) == ReceiveResult::kNothingYet);
  CHECK(out.launch_id == 5);
}

TEST_CASE("Control: each milestone arrives unchanged", "[ipc][unit]") {
  const auto milestone = GENERATE(Milestone::kHello, Milestone::kReady, Milestone::kLoadFailed, Milestone::kDenied);
  const Channel channel;
  auto sent = make_milestone(milestone, kLaunchId, "text");
  sent.description_bytes = 123;
  sent.load_ms = 456;
  REQUIRE(send_milestone(channel.worker.get(), sent));
  MilestoneMessage out{};
  REQUIRE(channel.receive(out) == ReceiveResult::kReceived);
  CHECK(std::memcmp(&out, &sent, sizeof out) == 0);
  CHECK(channel.receive(out) == ReceiveResult::kNothingYet);
}

TEST_CASE("Control: several milestones arrive one at a time, in order", "[ipc][unit]") {
  const Channel channel;
  for (const auto milestone : {Milestone::kHello, Milestone::kReady, Milestone::kLoadFailed}) {
    REQUIRE(send_milestone(channel.worker.get(), make_milestone(milestone, kLaunchId)));
  }
  for (const auto milestone : {Milestone::kHello, Milestone::kReady, Milestone::kLoadFailed}) {
    MilestoneMessage out{};
    REQUIRE(channel.receive(out) == ReceiveResult::kReceived);
    CHECK(out.milestone == milestone);
  }
}

TEST_CASE("Control: a message of any other size is malformed", "[ipc][unit]") {
  const Channel channel;
  const auto message = make_milestone(Milestone::kHello, kLaunchId);
  std::vector<char> bytes(2 * sizeof message);
  std::memcpy(bytes.data(), &message, sizeof message);
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    if (size == sizeof message) continue;
    REQUIRE(send(channel.worker.get(), bytes.data(), size, MSG_NOSIGNAL) == static_cast<ssize_t>(size));
    MilestoneMessage out{};
    if (channel.receive(out) != ReceiveResult::kMalformed || out.magic != 0) FAIL("taken with " << size << " bytes");
    if (channel.receive(out) != ReceiveResult::kNothingYet) FAIL("left something behind with " << size << " bytes");
  }
}

TEST_CASE("Control: a message with an impossible field is malformed", "[ipc][unit]") {
  auto message = make_milestone(Milestone::kReady, kLaunchId, "text");
  SECTION("wrong magic") { message.magic ^= 1; }
  SECTION("an older layout") { message.version = kLayoutVersion - 1; }
  SECTION("a newer layout") { message.version = kLayoutVersion + 1; }
  SECTION("the number of an earlier launch") { message.launch_id = kLaunchId - 1; }
  SECTION("no such milestone: 0") { message.milestone = Milestone{0}; }
  SECTION("no such milestone: 5") { message.milestone = Milestone{5}; }
  SECTION("no such mode of the sandbox") { message.sandbox_mode = 4; }
  SECTION("no such part of the sandbox") { message.sandbox_parts = 2; }
  SECTION("no such Landlock") { message.landlock_abi = 1001; }
  SECTION("no such milestone: the largest") { message.milestone = Milestone{UINT32_MAX}; }
  SECTION("text beyond the message") { message.text_bytes = sizeof message.text + 1; }
  SECTION("text far beyond the message") { message.text_bytes = UINT32_MAX; }
  const Channel channel;
  REQUIRE(send_milestone(channel.worker.get(), message));
  MilestoneMessage out{};
  CHECK(channel.receive(out) == ReceiveResult::kMalformed);
  CHECK(out.magic == 0);
}

TEST_CASE("Control: a ready message has the active parts of the sandbox and a printable text", "[ipc][unit]") {
  const Channel channel;
  common::SandboxState state{common::SandboxMode::kRequired, 7, true, "no\nLandlock"};
  auto sent = make_milestone(Milestone::kReady, kLaunchId);
  put_sandbox(sent, state);
  REQUIRE(send_milestone(channel.worker.get(), sent));
  MilestoneMessage out{};
  REQUIRE(channel.receive(out) == ReceiveResult::kReceived);
  state.missing = "no\\nLandlock";
  CHECK(sandbox_of(out) == state);
}

TEST_CASE("Control: a full-length text is received", "[ipc][unit]") {
  const Channel channel;
  REQUIRE(
      send_milestone(channel.worker.get(), make_milestone(Milestone::kLoadFailed, kLaunchId, std::string(1016, 'x'))));
  MilestoneMessage out{};
  REQUIRE(channel.receive(out) == ReceiveResult::kReceived);
  CHECK(text_of(out).size() == 1016);
}

TEST_CASE("Control: a closed peer is Closed, after the messages that it sent before", "[ipc][unit]") {
  Channel channel;
  REQUIRE(send_milestone(channel.worker.get(), make_milestone(Milestone::kHello, kLaunchId)));
  channel.worker.reset();
  CHECK(channel.receive() == ReceiveResult::kReceived);
  CHECK(channel.receive() == ReceiveResult::kClosed);
  CHECK(channel.receive() == ReceiveResult::kClosed);
}

TEST_CASE("Control: a descriptor that cannot be read is Closed", "[ipc][unit]") {
  MilestoneMessage out{};
  pid_t sender = 0;
  CHECK(receive_milestone(-1, kLaunchId, out, sender) == ReceiveResult::kClosed);
}

TEST_CASE("Control: sending a milestone to a front-end that is gone fails without a signal", "[ipc][unit]") {
  Channel channel;
  channel.front_end.reset();
  CHECK_FALSE(send_milestone(channel.worker.get(), make_milestone(Milestone::kHello, kLaunchId)));
}

TEST_CASE("Control: the kernel tells which process sent a milestone", "[ipc][unit]") {
  const Channel channel;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(send_milestone(channel.worker.get(), make_milestone(Milestone::kHello, kLaunchId)) ? 0 : 1);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  MilestoneMessage out{};
  pid_t sender = 0;
  REQUIRE(receive_milestone(channel.front_end.get(), kLaunchId, out, sender) == ReceiveResult::kReceived);
  CHECK(sender == child);
}

TEST_CASE("Control: descriptors that a worker sends are closed, and its message is malformed", "[ipc][unit]") {
  const Channel channel;
  const auto message = make_milestone(Milestone::kHello, kLaunchId);
  int pipe_ends[2] = {-1, -1};
  REQUIRE(pipe(pipe_ends) == 0);
  const common::UniqueFd reader(pipe_ends[0]);
  common::UniqueFd writer(pipe_ends[1]);
  REQUIRE(send_with_descriptor(channel.worker.get(), message, writer.get()));
  writer.reset();
  MilestoneMessage out{};
  CHECK(channel.receive(out) == ReceiveResult::kMalformed);
  char byte = 0;
  CHECK(read(reader.get(), &byte, 1) == 0);  // no process holds the other end
}

// ---- commands ----

TEST_CASE("Control: commands arrive in order", "[ipc][unit]") {
  const Channel channel;
  REQUIRE(send_command(channel.front_end.get(), Command::kWake));
  REQUIRE(send_command(channel.front_end.get(), Command::kStop));
  CHECK(wait_for_command(channel.worker.get()) == Command::kWake);
  CHECK(wait_for_command(channel.worker.get()) == Command::kStop);
}

TEST_CASE("Control: poll_command takes a waiting command and does not wait for one", "[ipc][unit]") {
  const Channel channel;
  CHECK_FALSE(poll_command(channel.worker.get()));
  REQUIRE(send_command(channel.front_end.get(), Command::kWake));
  CHECK(poll_command(channel.worker.get()) == Command::kWake);
  CHECK_FALSE(poll_command(channel.worker.get()));
}

TEST_CASE("Control: a worker can wait for a command for a limited time without taking it", "[ipc][unit]") {
  Channel channel;
  CHECK_FALSE(command_comes_within(channel.worker.get(), std::chrono::milliseconds(1)));
  REQUIRE(send_command(channel.front_end.get(), Command::kWake));
  CHECK(command_comes_within(channel.worker.get(), std::chrono::hours(1)));
  CHECK(wait_for_command(channel.worker.get()) == Command::kWake);
  channel.front_end.reset();
  CHECK(command_comes_within(channel.worker.get(), std::chrono::hours(1)));
  CHECK_FALSE(wait_for_command(channel.worker.get()));
}

TEST_CASE("Control: a worker whose front-end is gone gets the messages in the channel, then nothing", "[ipc][unit]") {
  Channel channel;
  REQUIRE(send_command(channel.front_end.get(), Command::kStop));
  channel.front_end.reset();
  CHECK(wait_for_command(channel.worker.get()) == Command::kStop);
  CHECK_FALSE(wait_for_command(channel.worker.get()));
  CHECK_FALSE(poll_command(channel.worker.get()));
}

TEST_CASE("Control: a wake-up to a worker that does not read never blocks and still counts as sent", "[ipc][unit]") {
  const Channel channel;
  for (int i = 0; i < 10'000; ++i) {
    if (!send_command(channel.front_end.get(), Command::kWake)) FAIL("refused at " << i);
  }
  const char byte = 'w';
  CHECK(send(channel.front_end.get(), &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == -1);  // it is full indeed
  CHECK(wait_for_command(channel.worker.get()) == Command::kWake);
}

TEST_CASE("Control: a command to a worker that is gone fails without a signal", "[ipc][unit]") {
  Channel channel;
  channel.worker.reset();
  CHECK_FALSE(send_command(channel.front_end.get(), Command::kWake));
  CHECK_FALSE(send_command(channel.front_end.get(), Command::kStop));
}

TEST_CASE("Control: an unread milestone does not block commands in the other direction", "[ipc][unit]") {
  const Channel channel;
  REQUIRE(send_milestone(channel.worker.get(), make_milestone(Milestone::kHello, kLaunchId)));
  REQUIRE(send_command(channel.front_end.get(), Command::kStop));
  CHECK(wait_for_command(channel.worker.get()) == Command::kStop);
  CHECK(channel.receive() == ReceiveResult::kReceived);
}

}  // namespace
}  // namespace yolod::ipc
