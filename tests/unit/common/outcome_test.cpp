#include "common/outcome.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace yolod::common {
namespace {

const Error kFailure{ErrorCode::kBadModel, "no such layer"};

Outcome<int> half_of(int number) {
  if (number % 2 != 0) return Error{ErrorCode::kInvalidParameter, "odd"};
  return number / 2;
}

// Returns the signal that ends a child which does this, or 0.
int signal_of(const std::function<void()>& body) {
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    std::signal(SIGABRT, SIG_DFL);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
    body();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_CASE("Outcome: a value is ok and can be read", "[common][unit]") {
  auto outcome = half_of(8);
  REQUIRE(outcome.ok());
  CHECK(static_cast<bool>(outcome));
  CHECK(outcome.value() == 4);
  CHECK(*outcome == 4);
  *outcome = 5;
  CHECK(outcome.value() == 5);
}

TEST_CASE("Outcome: an error is not ok and has its code and message", "[common][unit]") {
  const auto outcome = half_of(7);
  REQUIRE_FALSE(outcome.ok());
  CHECK_FALSE(static_cast<bool>(outcome));
  CHECK(outcome.error().code == ErrorCode::kInvalidParameter);
  CHECK(outcome.error().message == "odd");
}

TEST_CASE("Outcome: a value that converts to an error's parts is still a value", "[common][unit]") {
  const Outcome<std::string> outcome = std::string("text");
  REQUIRE(outcome);
  CHECK(outcome->size() == 4);
}

TEST_CASE("Outcome: a bool that is false is a value", "[common][unit]") {
  const Outcome<bool> outcome = false;
  REQUIRE(outcome.ok());
  CHECK_FALSE(*outcome);
}

TEST_CASE("Outcome: a value that cannot be copied can be moved out", "[common][unit]") {
  Outcome<std::unique_ptr<int>> outcome = std::make_unique<int>(3);
  REQUIRE(outcome);
  const std::unique_ptr<int> taken = std::move(outcome).value();
  CHECK(*taken == 3);
}

TEST_CASE("Outcome: an error can be moved out", "[common][unit]") {
  Outcome<int> outcome = kFailure;
  CHECK(std::move(outcome).error() == kFailure);
}

TEST_CASE("Outcome: an outcome can be copied and assigned, also between value and error", "[common][unit]") {
  Outcome<std::vector<int>> outcome = std::vector<int>{1, 2};
  const auto copy = outcome;
  outcome = kFailure;
  CHECK_FALSE(outcome);
  CHECK(copy->size() == 2);
  outcome = std::vector<int>{};
  CHECK(outcome);
}

TEST_CASE("Outcome: done is ok, an error is not", "[common][unit]") {
  const Outcome<void> done;
  CHECK(done.ok());
  const Outcome<void> failed = kFailure;
  CHECK_FALSE(failed.ok());
  CHECK(failed.error() == kFailure);
  CHECK_FALSE([]() -> Outcome<void> { return Error{}; }());
  CHECK([]() -> Outcome<void> { return {}; }());
}

TEST_CASE("Outcome: asking a failure for its value, or a success for its error, aborts", "[common][unit]") {
  CHECK(signal_of([] { (void)half_of(7).value(); }) == SIGABRT);
  CHECK(signal_of([] { (void)half_of(8).error(); }) == SIGABRT);
  CHECK(signal_of([] { (void)Outcome<void>().error(); }) == SIGABRT);
  CHECK(signal_of([] {}) == 0);
}

}  // namespace
}  // namespace yolod::common
