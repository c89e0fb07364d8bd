#include "ipc/fork_command.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

namespace yolod::ipc {
namespace {

struct LoaderChannel {
  LoaderChannel() {
    auto ends = make_control_channel();
    REQUIRE(ends);
    front_end = std::move(ends->first);
    loader = std::move(ends->second);
  }
  common::UniqueFd front_end;
  common::UniqueFd loader;
};

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    reader.reset(ends[0]);
    writer.reset(ends[1]);
  }
  common::UniqueFd reader;
  common::UniqueFd writer;
};

// Tells whether bytes that are written to `to` can be read from `from`.
bool leads_to(int to, int from) {
  const char sent = 'x';
  char got = 0;
  return write(to, &sent, 1) == 1 && read(from, &got, 1) == 1 && got == sent;
}

TEST_CASE("ForkCommand: three descriptors arrive in their order and are close-on-exec", "[ipc][unit]") {
  const LoaderChannel channel;
  const Pipe control;
  const Pipe lane;
  const Pipe doorbell;
  const Command fork = GENERATE(Command::kFork, Command::kForkProven);
  REQUIRE(send_fork(channel.front_end.get(), {control.writer.get(), lane.writer.get(), doorbell.writer.get()}, fork));
  const auto command = wait_for_loader_command(channel.loader.get());
  REQUIRE(command);
  CHECK(command->command == fork);
  const auto& given = command->descriptors;
  CHECK(leads_to(given.control.get(), control.reader.get()));
  CHECK(leads_to(given.lane.get(), lane.reader.get()));
  CHECK(leads_to(given.doorbell.get(), doorbell.reader.get()));
  for (const int descriptor : {given.control.get(), given.lane.get(), given.doorbell.get()}) {
    CHECK((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("ForkCommand: other commands bring no descriptors", "[ipc][unit]") {
  const LoaderChannel channel;
  REQUIRE(send_command(channel.front_end.get(), Command::kStop));
  const auto command = wait_for_loader_command(channel.loader.get());
  REQUIRE(command);
  CHECK(command->command == Command::kStop);
  CHECK_FALSE(command->descriptors.lane.valid());
}

TEST_CASE("ForkCommand: a fork command without its descriptors is ignored", "[ipc][unit]") {
  const LoaderChannel channel;
  REQUIRE(send_command(channel.front_end.get(), Command::kFork));
  CHECK_FALSE(wait_for_loader_command(channel.loader.get()));
}

TEST_CASE("ForkCommand: a loader detects that its front-end is gone", "[ipc][unit]") {
  LoaderChannel channel;
  channel.front_end.reset();
  CHECK_FALSE(wait_for_loader_command(channel.loader.get()));
}

TEST_CASE("ForkCommand: sending never waits, and returns whether it succeeded", "[ipc][unit]") {
  LoaderChannel channel;
  const Pipe any;
  const int end = any.reader.get();
  SECTION("the loader does not read") {
    int sent = 0;
    while (sent < 100'000 && send_fork(channel.front_end.get(), {end, end, end})) ++sent;
    CHECK(sent > 0);
    CHECK(sent < 100'000);
  }
  SECTION("the loader is gone") {
    channel.loader.reset();
    CHECK_FALSE(send_fork(channel.front_end.get(), {end, end, end}));
  }
}

}  // namespace
}  // namespace yolod::ipc
