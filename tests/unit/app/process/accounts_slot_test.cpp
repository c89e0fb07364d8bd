#include "app/process/accounts_slot.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/app/process/script_child_bench.hpp"

namespace yolod::app::process {
namespace {

// A slot, and the events that it reported.
class AccountsSlotBench : public ScriptChildBench {
 public:
  explicit AccountsSlotBench(const std::string& script) : ScriptChildBench(script) {
    slot.emplace(io, spawn, children, common::UniqueFd(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)),
                 AccountsSlot::Hooks{[this](common::UniqueFd socket) { sockets.push_back(std::move(socket)); },
                                     [this] { ++gone_count; }});
  }
  ~AccountsSlotBench() {
    slot->stop();
    slot->send_signal(SIGKILL);
    CHECK(wait_until([this] { return !slot->is_alive(); }));
  }

  std::vector<common::UniqueFd> sockets;
  int gone_count{0};
  std::optional<AccountsSlot> slot;
};

TEST_CASE("AccountsSlot: a process gets a socket, and its owner declares it ready", "[app][unit]") {
  AccountsSlotBench bench(kLives);
  CHECK_FALSE(bench.slot->is_alive());
  bench.slot->start();
  REQUIRE(bench.sockets.size() == 1);
  int type = 0;
  socklen_t size = sizeof type;
  REQUIRE(getsockopt(bench.sockets[0].get(), SOL_SOCKET, SO_TYPE, &type, &size) == 0);
  CHECK(type == SOCK_SEQPACKET);
  CHECK(bench.slot->is_alive());
  bench.slot->is_ready();
  bench.slot->is_ready();
  CHECK(bench.slot->restarts() == 0);
}

TEST_CASE("AccountsSlot: a process that dies is replaced, and its owner learns of the death first", "[app][unit]") {
  const std::string death = GENERATE("exit 3", "exit 0", "kill -9 $$", "echo oops >&2; exit 1");
  CAPTURE(death);
  AccountsSlotBench bench("[ -e \"$0.died\" ] && exec sleep 600; : >\"$0.died\"; " + death);
  bench.slot->start();
  REQUIRE(bench.wait_until([&] { return bench.sockets.size() == 2; }));
  CHECK(bench.gone_count == 1);
  CHECK(bench.slot->restarts() == 1);
  CHECK(bench.slot->is_alive());
}

TEST_CASE("AccountsSlot: a process that its owner condemns is killed once and replaced", "[app][unit]") {
  AccountsSlotBench bench(kLives);
  bench.slot->start();
  bench.slot->is_ready();
  const pid_t first = bench.slot->pid();
  bench.slot->condemn("it answered nonsense");
  bench.slot->condemn("it answered nonsense again");
  REQUIRE(bench.wait_until([&] { return bench.sockets.size() == 2; }));
  CHECK(bench.slot->pid() != first);
  CHECK(bench.gone_count == 1);
}

TEST_CASE("AccountsSlot: a process that closes its socket and stays is killed", "[app][unit]") {
  AccountsSlotBench bench(kLives);
  bench.slot->start();
  bench.slot->is_ready();
  bench.slot->is_leaving();
  REQUIRE(bench.wait_until([&] { return bench.gone_count == 1; }));
}

TEST_CASE("AccountsSlot: a program that cannot be started is tried again", "[app][unit]") {
  AccountsSlotBench bench(kLives);
  SECTION("the program is missing") {
    const auto program = std::exchange(bench.spawn.programs["yolod-accounts"], "/nonexistent/yolod-accounts");
    bench.slot->start();
    REQUIRE(bench.wait_until([&] { return bench.slot->restarts() == 1; }));
    bench.spawn.programs["yolod-accounts"] = program;
  }
  SECTION("the front-end has no descriptor left") {
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit none{3, before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    bench.slot->start();
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(bench.slot->restarts() == 1);
    CHECK(bench.sockets.empty());
  }
  REQUIRE(bench.wait_until([&] { return bench.slot->is_alive() && !bench.sockets.empty(); }));
}

TEST_CASE("AccountsSlot: after a stop no process is started", "[app][unit]") {
  AccountsSlotBench bench(kLives);
  bench.slot->start();
  bench.slot->stop();
  bench.slot->send_signal(SIGKILL);
  REQUIRE(bench.wait_until([&] { return bench.gone_count == 1; }));
  CHECK(bench.slot->restarts() == 0);
  CHECK(bench.sockets.size() == 1);
}

}  // namespace
}  // namespace yolod::app::process
