#include "app/process/respawn_policy.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <set>
#include <vector>

#include "app/process/death.hpp"
#include "ipc/layout.hpp"

namespace yolod::app::process {
namespace {

using namespace std::chrono_literals;
using common::Clock;
using Action = RespawnPolicy::Action;
using std::chrono::milliseconds;

constexpr Clock::time_point kStart{std::chrono::hours(1)};

Death signaled(int signal) { return {.signaled = true, .number = signal}; }
Death exited(int code) { return {.signaled = false, .number = code}; }

// ---- how a process ended ----

TEST_CASE("Death: a real child's exit and signal are read from its wait status", "[app][unit]") {
  const auto status_of = [](auto&& body) {
    const pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      body();
      _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return Death::from_wait_status(status);
  };
  const Death exit = status_of([] { _exit(91); });
  CHECK_FALSE(exit.signaled);
  CHECK(exit.number == 91);
  const Death kill = status_of([] { raise(SIGKILL); });
  CHECK(kill.signaled);
  CHECK(kill.number == SIGKILL);
}

TEST_CASE("Death: the description has the signal's name or the meaning of the exit code", "[app][unit]") {
  CHECK(describe(signaled(SIGSEGV)) == "SIGSEGV");
  CHECK(describe(signaled(SIGKILL)) == "SIGKILL");
  CHECK(describe(signaled(63)) == "signal 63");
  CHECK(describe(signaled(SIGSYS)) == "SIGSYS: it made a system call that its sandbox denies");
  Death denied = signaled(SIGSYS);
  denied.denied_call = "ptrace";
  CHECK(describe(denied) == "SIGSYS: it made a system call that its sandbox denies: ptrace");
  CHECK(describe(exited(0)) == "exit code 0");
  CHECK(describe(exited(1)) == "exit code 1");
  CHECK(describe(exited(ipc::kExitInterrupted)).find("interrupted") != std::string::npos);
  CHECK(describe(exited(ipc::kExitBadModel)).find("cannot be served") != std::string::npos);
  CHECK(describe(exited(ipc::kExitBadStart)).find("version") != std::string::npos);
  CHECK(describe(exited(ipc::kExitDeviceLost)).find("device") != std::string::npos);
}

TEST_CASE("Death: the label for metrics is one of a few words", "[app][unit]") {
  CHECK(reason_label(signaled(SIGABRT)) == "SIGABRT");
  CHECK(reason_label(signaled(SIGSYS)) == "SIGSYS");
  CHECK(reason_label(exited(ipc::kExitInterrupted)) == "interrupted");
  CHECK(reason_label(exited(ipc::kExitBadModel)) == "bad_model");
  std::set<std::string> labels;
  for (int code = 0; code < 256; ++code) labels.insert(reason_label(exited(code)));
  CHECK(labels == std::set<std::string>{"bad_model", "device_lost", "exit", "interrupted"});
}

// ---- what caused the death ----

TEST_CASE("Respawn: the process itself causes a crash signal, before and after it was ready", "[app][unit]") {
  const int signal = GENERATE(SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT);
  CHECK(classify(signaled(signal), true) == DeathCause::kOwnFault);
  CHECK(classify(signaled(signal), false) == DeathCause::kOwnFault);
}

TEST_CASE("Respawn: the process causes a denied system call, which before readiness means an unsuitable sandbox",
          "[app][unit]") {
  CHECK(classify(signaled(SIGSYS), true) == DeathCause::kOwnFault);
  CHECK(classify(signaled(SIGSYS), false) == DeathCause::kBadModel);
}

TEST_CASE("Respawn: the process does not cause an interrupt", "[app][unit]") {
  CHECK(classify(signaled(SIGINT), true) == DeathCause::kExternal);
  CHECK(classify(signaled(SIGINT), false) == DeathCause::kExternal);
  CHECK(classify(exited(ipc::kExitInterrupted), false) == DeathCause::kExternal);
  CHECK(classify(exited(ipc::kExitInterrupted), true) ==
        DeathCause::kOwnFault);  // this can happen only during the load
}

TEST_CASE("Respawn: an operator causes every other signal after readiness, the process causes it before",
          "[app][unit]") {
  const std::set<int> others{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGINT};
  for (int signal = 1; signal < NSIG; ++signal) {
    if (others.contains(signal)) continue;
    CAPTURE(signal);
    CHECK(classify(signaled(signal), true) == DeathCause::kExternal);
    CHECK(classify(signaled(signal), false) == DeathCause::kOwnFault);
  }
}

TEST_CASE("Respawn: the process causes every exit, except with two exit codes", "[app][unit]") {
  const bool was_ready = GENERATE(true, false);
  for (int code = 0; code < 256; ++code) {
    if (code == ipc::kExitInterrupted) continue;
    CAPTURE(code);
    const auto expected = code == ipc::kExitBadModel ? DeathCause::kBadModel : DeathCause::kOwnFault;
    CHECK(classify(exited(code), was_ready) == expected);
  }
}

// ---- when it is replaced ----

TEST_CASE("Respawn: repeated deaths that the process causes wait 0, 0.5, 1, 2 ... 30 s, and then always 30 s",
          "[app][unit]") {
  RespawnPolicy policy;
  std::vector<milliseconds> delays;
  for (int i = 0; i < 10; ++i) {
    const auto decision = policy.on_death(DeathCause::kOwnFault, true, kStart, 0);
    CHECK(decision.action == Action::kRespawn);
    delays.push_back(decision.delay);
  }
  CHECK(delays == std::vector<milliseconds>{0s, 500ms, 1s, 2s, 4s, 8s, 16s, 30s, 30s, 30s});
  for (int i = 0; i < 10'000; ++i) {
    if (policy.on_death(DeathCause::kOwnFault, true, kStart, 0).delay != 30s) FAIL("at " << i);
  }
}

TEST_CASE("Respawn: jitter shortens a delay by up to a fifth and never lengthens it", "[app][unit]") {
  const double jitter = GENERATE(0.0, 0.25, 0.5, 0.999999);
  RespawnPolicy exact;
  RespawnPolicy jittered;
  for (int i = 0; i < 12; ++i) {
    const auto full = exact.on_death(DeathCause::kOwnFault, true, kStart, 0).delay;
    const auto delay = jittered.on_death(DeathCause::kOwnFault, true, kStart, jitter).delay;
    CHECK(delay <= full);
    CHECK(delay >= full * 4 / 5);
    CHECK(static_cast<double>(delay.count()) == Approx(static_cast<double>(full.count()) * (1 - jitter / 5)).margin(1));
  }
}

TEST_CASE("Respawn: a death that the process did not cause is replaced at once, and does not count", "[app][unit]") {
  RespawnPolicy policy;
  for (int i = 0; i < 100; ++i) {
    const auto decision = policy.on_death(DeathCause::kExternal, true, kStart, 0);
    CHECK(decision.action == Action::kRespawn);
    CHECK(decision.delay == 0ms);
  }
  CHECK(policy.on_death(DeathCause::kOwnFault, true, kStart, 0).delay == 0ms);
  CHECK(policy.on_death(DeathCause::kOwnFault, true, kStart, 0).delay == 500ms);
}

TEST_CASE("Respawn: a death that the process did not cause does not reset the count of crashes", "[app][unit]") {
  RespawnPolicy policy;
  for (int i = 0; i < 3; ++i) (void)policy.on_death(DeathCause::kOwnFault, true, kStart, 0);
  CHECK(policy.on_death(DeathCause::kExternal, true, kStart, 0).delay == 0ms);
  CHECK(policy.on_death(DeathCause::kOwnFault, true, kStart, 0).delay == 2s);
}

TEST_CASE("Respawn: 60 s of health reset the count of crashes, a shorter time does not", "[app][unit]") {
  RespawnPolicy policy;
  for (int i = 0; i < 4; ++i) (void)policy.on_death(DeathCause::kOwnFault, true, kStart, 0);
  SECTION("exactly 60 s") {
    policy.on_ready(kStart);
    CHECK(policy.on_death(DeathCause::kOwnFault, true, kStart + 60s, 0).delay == 0ms);
    CHECK(policy.on_death(DeathCause::kOwnFault, true, kStart + 60s, 0).delay == 500ms);
  }
  SECTION("1 ms less") {
    policy.on_ready(kStart);
    CHECK(policy.on_death(DeathCause::kOwnFault, true, kStart + 60s - 1ms, 0).delay == 4s);
  }
  SECTION("60 s in which the process was never ready") {
    CHECK(policy.on_death(DeathCause::kOwnFault, true, kStart + 600s, 0).delay == 4s);
  }
  SECTION("an earlier process of the same slot was ready for 60 s") {
    policy.on_ready(kStart);
    CHECK(policy.on_death(DeathCause::kOwnFault, true, kStart + 1s, 0).delay == 4s);
    CHECK(policy.on_death(DeathCause::kOwnFault, true, kStart + 600s, 0).delay == 8s);
  }
  SECTION("an operator's kill ended the healthy time") {
    policy.on_ready(kStart);
    CHECK(policy.on_death(DeathCause::kExternal, true, kStart + 61s, 0).delay == 0ms);
    CHECK(policy.on_death(DeathCause::kOwnFault, true, kStart + 62s, 0).delay == 0ms);
  }
}

TEST_CASE("Respawn: a bad model ends the server only before the model was first ready", "[app][unit]") {
  RespawnPolicy policy;
  CHECK(policy.on_death(DeathCause::kBadModel, false, kStart, 0).action == Action::kGiveUp);
  const auto later = policy.on_death(DeathCause::kBadModel, true, kStart, 0);
  CHECK(later.action == Action::kRespawn);
  CHECK(later.delay == 0ms);
  CHECK(policy.on_death(DeathCause::kBadModel, true, kStart, 0).delay == 500ms);
}

TEST_CASE("Respawn: a model that was never ready is given up after the fifth failed load", "[app][unit]") {
  RespawnPolicy policy;
  for (int i = 0; i < 4; ++i) {
    REQUIRE(policy.on_death(DeathCause::kOwnFault, false, kStart, 0).action == Action::kRespawn);
    REQUIRE(policy.on_death(DeathCause::kExternal, false, kStart, 0).action ==
            Action::kRespawn);  // this death does not count
  }
  CHECK(policy.on_death(DeathCause::kOwnFault, false, kStart, 0).action == Action::kGiveUp);
}

TEST_CASE("Respawn: no other death ends the server", "[app][unit]") {
  RespawnPolicy policy;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(policy.on_death(DeathCause::kExternal, false, kStart, 0).action == Action::kRespawn);
    REQUIRE(policy.on_death(DeathCause::kOwnFault, true, kStart, 0).action == Action::kRespawn);
  }
}

// ---- deaths at work on a request ----

TEST_CASE("RequestDeaths: the replacement starts at once if predictions succeed between the deaths", "[app][unit]") {
  RequestDeaths deaths;
  std::uint64_t predictions = 0;
  for (int i = 0; i < 1000; ++i) {
    if (i % (RequestDeaths::kMostInARow - 1) == 0) ++predictions;
    REQUIRE(deaths.died(predictions) == 0ms);
  }
}

TEST_CASE("RequestDeaths: twenty deaths without a prediction delay the next replacements until a prediction succeeds",
          "[app][unit]") {
  RequestDeaths deaths;
  for (std::uint32_t i = 1; i < RequestDeaths::kMostInARow; ++i) REQUIRE(deaths.died(7) == 0ms);
  for (int i = 0; i < 100; ++i) REQUIRE(deaths.died(7) == RequestDeaths::kPause);
  for (std::uint32_t i = 1; i < RequestDeaths::kMostInARow; ++i) REQUIRE(deaths.died(8) == 0ms);
  CHECK(deaths.died(8) == RequestDeaths::kPause);
}

// ---- how many at once ----

TEST_CASE("RespawnRate: twenty processes start at once, the next a second after the first", "[app][unit]") {
  RespawnRate rate;
  for (int i = 0; i < 20; ++i) CHECK(rate.reserve(kStart) == kStart);
  for (int i = 0; i < 20; ++i) CHECK(rate.reserve(kStart) == kStart + 1s);
  CHECK(rate.reserve(kStart) == kStart + 2s);
}

TEST_CASE("RespawnRate: a second later more processes may start", "[app][unit]") {
  RespawnRate rate;
  for (int i = 0; i < 20; ++i) (void)rate.reserve(kStart);
  CHECK(rate.reserve(kStart + 999ms) == kStart + 1s);
  CHECK(rate.reserve(kStart + 1s) == kStart + 1s);
}

TEST_CASE("RespawnRate: no second has more than twenty starts, and no process starts before its request",
          "[app][unit]") {
  RespawnRate rate;
  std::vector<Clock::time_point> starts;
  auto now = kStart;
  unsigned random = 1;
  for (int i = 0; i < 2000; ++i) {
    random = random * 1664525U + 1013904223U;
    now += milliseconds((random >> 16U) % 60);
    starts.push_back(rate.reserve(now));
    REQUIRE(starts.back() >= now);
  }
  REQUIRE(std::is_sorted(starts.begin(), starts.end()));
  for (std::size_t i = RespawnRate::kPerSecond; i < starts.size(); ++i) {
    REQUIRE(starts[i] - starts[i - RespawnRate::kPerSecond] >= 1s);
  }
}

}  // namespace
}  // namespace yolod::app::process
