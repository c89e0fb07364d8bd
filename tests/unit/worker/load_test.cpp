#include "worker/load.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

#include "common/system/signal_mask.hpp"
#include "ipc/layout.hpp"

namespace yolod::worker {
namespace {

using common::ErrorCode;
using common::ModelConfig;

// Runs `body` in a child, so that the test's own signal mask does not change. Returns the exit code, or minus the
// signal that ended the child.
int in_child(const std::function<int()>& body) {
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);  // as exec leaves them, not as Catch does
    const sigset_t interrupt = common::signal_set({SIGINT});
    sigprocmask(SIG_BLOCK, &interrupt, nullptr);
    _exit(body());
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

bool is_default(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_DFL;
}

void ignore_it(int) {}

TEST_CASE("Load: the signal mask that a worker inherits is detected", "[worker][unit]") {
  CHECK(in_child([] { return interrupt_is_blocked() ? 1 : 0; }) == 1);
  CHECK(in_child([] {
          sigset_t none;
          sigemptyset(&none);
          sigprocmask(SIG_SETMASK, &none, nullptr);
          return interrupt_is_blocked() ? 1 : 0;
        }) == 0);
}

TEST_CASE("Load: other blocked signals are not confused with SIGINT", "[worker][unit]") {
  CHECK(in_child([] {
          const sigset_t others = common::signal_set({SIGTERM, SIGQUIT, SIGHUP});
          sigprocmask(SIG_SETMASK, &others, nullptr);
          return interrupt_is_blocked() ? 1 : 0;
        }) == 0);
}

TEST_CASE("Load: without an interrupt SIGINT is unblocked with its default action", "[worker][unit]") {
  CHECK(in_child([] {
          std::signal(SIGINT, ignore_it);  // as a library may have set
          if (restore_interrupt() != AfterLoad::kServe) return 1;
          return !interrupt_is_blocked() && is_default(SIGINT) ? 0 : 2;
        }) == 0);
}

TEST_CASE("Load: an interrupt during the load is detected and stays blocked", "[worker][unit]") {
  CHECK(in_child([] {
          kill(getpid(), SIGINT);
          if (restore_interrupt() != AfterLoad::kInterrupted) return 1;
          return interrupt_is_blocked() ? 0 : 2;
        }) == 0);
}

TEST_CASE("Load: another signal that waits is not an interrupt", "[worker][unit]") {
  CHECK(in_child([] {
          const sigset_t other = common::signal_set({SIGUSR1});
          sigprocmask(SIG_BLOCK, &other, nullptr);
          kill(getpid(), SIGUSR1);
          return restore_interrupt() == AfterLoad::kServe ? 0 : 1;
        }) == 0);
}

TEST_CASE("Load: after the load an interrupt ends the process", "[worker][unit]") {
  CHECK(in_child([] {
          if (restore_interrupt() != AfterLoad::kServe) return 1;
          kill(getpid(), SIGINT);
          return 2;
        }) == -SIGINT);
}

TEST_CASE("Load: only SIGINT is unblocked", "[worker][unit]") {
  CHECK(in_child([] {
          const sigset_t both = common::signal_set({SIGINT, SIGUSR1});
          sigprocmask(SIG_SETMASK, &both, nullptr);
          if (restore_interrupt() != AfterLoad::kServe) return 1;
          sigset_t mask;
          sigprocmask(SIG_SETMASK, nullptr, &mask);
          return sigismember(&mask, SIGUSR1) == 1 ? 0 : 2;
        }) == 0);
}

TEST_CASE("Load: SIGTERM keeps its default action throughout", "[worker][unit]") {
  CHECK(in_child([] {
          ModelConfig config;
          if (!load(config, {1}, 0, {})) return 1;
          kill(getpid(), SIGTERM);
          return 2;
        }) == -SIGTERM);
}

TEST_CASE("Load: the identity model loads and describes itself", "[worker][unit]") {
  const ModelConfig config;
  const auto model = load(config, {1}, 0, {});
  REQUIRE(model);
  CHECK(model->model->description().task == "identity");
  CHECK(model->batch_size == 0);  // the model computes each input separately, so there is no batch to time
}

TEST_CASE("Load: a fault that overwrites the lane reaches the given lane", "[worker][unit]") {
  ModelConfig config;
  config.source = common::IdentitySource{common::milliseconds(0), true, common::milliseconds(0), {}};
  int scribbles = 0;
  auto model = load(config, {1}, 0, {[&scribbles] { ++scribbles; }, {}, {}});
  REQUIRE(model);
  constexpr std::string_view kBody = "FAULT:scribble";
  const std::vector<model::Input> inputs{{std::as_bytes(std::span(kBody.data(), kBody.size())), {}}};
  CHECK(model->model->run(inputs).size() == 1);
  CHECK(scribbles == 1);
}

TEST_CASE("Load: a lost device ends the process at once with its own exit code", "[worker][unit]") {
  CHECK(in_child([] {
          ModelConfig config;
          config.source = common::IdentitySource{common::milliseconds(0), true, common::milliseconds(0), {}};
          auto model = load(config, {1}, 0, {});
          if (!model) return 1;
          constexpr std::string_view kBody = "FAULT:device";
          const std::vector<model::Input> inputs{{std::as_bytes(std::span(kBody.data(), kBody.size())), {}}};
          return model->model->run(inputs).empty() ? 2 : 3;
        }) == ipc::kExitDeviceLost);
}

TEST_CASE("Load: a model with missing files is a bad model, with an error of one line", "[worker][unit]") {
  ModelConfig config;
  config.name = "m";
  config.source = common::DarknetSource{"/nonexistent/a.cfg", "/nonexistent/a.weights", "/nonexistent/a.names"};
  const auto model = load(config, {1}, 0, {});
  REQUIRE_FALSE(model);
  CHECK(model.error().code == ErrorCode::kBadModel);
  CHECK_FALSE(model.error().message.empty());
  CHECK(model.error().message.find('\n') == std::string::npos);
}

TEST_CASE("Load: a model that is loaded on a background thread is the same model", "[worker][unit]") {
  ModelConfig config;
  config.source = common::IdentitySource{};
  auto loaded = load_in_background(config, {1, 1}, 0, {});
  REQUIRE(loaded);
  CHECK(loaded->model->description().device == "cpu");
  config.source = common::DarknetSource{"/nowhere/net.cfg", "/nowhere/net.weights", {}};
  CHECK(load_in_background(config, {1, 1}, 0, {}).error().code == ErrorCode::kBadModel);
}

}  // namespace
}  // namespace yolod::worker
