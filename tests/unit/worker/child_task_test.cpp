#include "worker/child_task.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string>

namespace yolod::worker {
namespace {

using namespace std::chrono_literals;

bool has_no_child() { return waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD; }

TEST_CASE("ChildTask: the result of the work arrives, and its side effects stay in the child", "[worker][unit]") {
  int changed = 0;
  const auto told = run_in_child(
      [&changed] {
        changed = 1;
        return "process " + std::to_string(getpid());
      },
      60s);
  REQUIRE(told.ok());
  CHECK(*told != "process " + std::to_string(getpid()));
  CHECK(told->starts_with("process "));
  CHECK(changed == 0);
  CHECK(has_no_child());
}

TEST_CASE("ChildTask: a long answer is cut, and an empty answer is valid", "[worker][unit]") {
  const auto long_answer = run_in_child([] { return std::string(100'000, 'x'); }, 60s);
  REQUIRE(long_answer.ok());
  CHECK(*long_answer == std::string(4096, 'x'));
  const auto empty = run_in_child([] { return std::string(); }, 60s);
  REQUIRE(empty.ok());
  CHECK(empty->empty());
}

TEST_CASE("ChildTask: work that crashes, throws or never ends is an error", "[worker][unit]") {
  const auto crashed = run_in_child(
      []() -> std::string {
        std::signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
        return {};
      },
      60s);
  REQUIRE_FALSE(crashed.ok());
  CHECK(crashed.error().message == "the child process died of signal 11");
  const auto threw = run_in_child([]() -> std::string { throw std::runtime_error("no"); }, 60s);
  REQUIRE_FALSE(threw.ok());
  CHECK(threw.error().message == "it failed");
  const auto hung = run_in_child(
      []() -> std::string {
        for (;;) pause();
      },
      50ms);
  REQUIRE_FALSE(hung.ok());
  CHECK(hung.error().message == "the child process took longer than 50 ms");
  // The pipe is closed, and the process lives on.
  const auto closed = run_in_child(
      []() -> std::string {
        closefrom(3);
        for (;;) pause();
      },
      50ms);
  REQUIRE_FALSE(closed.ok());
  CHECK(closed.error().message == "the child process took longer than 50 ms");
  const auto threw_a_number = run_in_child([]() -> std::string { throw 7; }, 60s);
  REQUIRE_FALSE(threw_a_number.ok());
  CHECK(threw_a_number.error().message == "it failed");
  CHECK(has_no_child());
}

}  // namespace
}  // namespace yolod::worker
