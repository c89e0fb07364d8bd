#include "app/accounts/sandbox.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

#include "app/accounts/account_store.hpp"
#include "app/accounts/migrations.hpp"
#include "app/accounts/password_hash.hpp"
#include "app/accounts/sqlite_database.hpp"
#include "tests/support/sealing_child.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::app::accounts {
namespace {

using tests::in_sealing_child;
using tests::kCannotSeal;
using tests::opening;

// A build with sanitizers denies only the calls of intruders.
#if defined(YOLOD_INSTRUMENTED) && !defined(YOLOD_COVERAGE)
constexpr bool kDeniesTheRest = false;
#else
constexpr bool kDeniesTheRest = true;
#endif

protocol::Settings of_sqlite(const std::filesystem::path& file) {
  protocol::Settings settings;
  settings.sqlite_file = file.string();
  settings.sandbox = common::SandboxMode::kRequired;
  return settings;
}

protocol::Settings of_postgres(const std::string& host) {
  protocol::Settings settings;
  settings.postgres.host = host;
  settings.sandbox = common::SandboxMode::kRequired;
  return settings;
}

void make_database(const std::filesystem::path& file) {
  const auto claimed = claim_sqlite_file(file, common::milliseconds(0));
  REQUIRE(claimed.ok());
  const auto database = open_sqlite(file);
  REQUIRE(database.ok());
  REQUIRE(migrate(**database).ok());
}

// Connects to that port of this machine and returns errno.
int connecting(std::uint16_t port) {
  const common::UniqueFd made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!made.valid()) return errno;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

}  // namespace

TEST_CASE("sandbox of accounts: SQLite works on, hashing and threads too", "[accounts][unit]") {
  const tests::TemporaryDirectory directory;
  const auto file = directory.path() / "accounts.db";
  make_database(file);
  CHECK(in_sealing_child([&] {
          if (!seal(of_sqlite(file), files_of_sqlite(file)).ok()) return kCannotSeal;
          int result = 1;
          std::thread([&] {
            auto opened = open_sqlite(file);
            if (!opened) return;
            AccountStore store(*std::move(opened));
            PersonId id = 0;
            const bool added =
                store.add_person("anna", hash_password("tree lamp"), Role::kUser, 1, nullptr, id) == Status::kOk;
            result = added ? 0 : 2;
          }).join();
          return result;
        }) == 0);
}

TEST_CASE("sandbox of accounts: beside its files it opens nothing, and reaches no network", "[accounts][unit]") {
  const tests::TemporaryDirectory directory;
  const auto file = directory.path() / "accounts.db";
  make_database(file);
  const auto other = directory.write("other", "x").string();
  CHECK(in_sealing_child([&] {
          if (!seal(of_sqlite(file), files_of_sqlite(file)).ok()) return kCannotSeal;
          if (opening(file.string(), O_RDWR) != 0) return 1;
          if (opening(other, O_RDONLY) != EACCES) return 2;
          if (opening((directory.path() / "new").string(), O_WRONLY | O_CREAT) != EACCES) return 3;
          if (opening("/etc/passwd", O_RDONLY) != EACCES) return 4;
          if (kDeniesTheRest && connecting(1) != EPERM) return 5;
          return 0;
        }) == 0);
}

TEST_CASE("sandbox of accounts: with PostgreSQL it connects to that port alone", "[accounts][unit]") {
  CHECK(in_sealing_child([] {
          auto settings = of_postgres("127.0.0.1");
          settings.postgres.port = 1;
          const auto state = seal(settings, {});
          if (!state.ok()) return kCannotSeal;
          if (connecting(1) != ECONNREFUSED) return 1;
          constexpr std::uint32_t kKnowsPorts = 4;  // version of Landlock
          return state->landlock_abi < kKnowsPorts || connecting(2) == EACCES ? 0 : 2;
        }) == 0);
}

TEST_CASE("sandbox of accounts: what an intruder calls ends the process", "[accounts][unit]") {
  const tests::TemporaryDirectory directory;
  const auto file = directory.path() / "accounts.db";
  make_database(file);
  const auto sealed = [&](auto&& call) {
    return in_sealing_child([&] {
      if (!seal(of_sqlite(file), files_of_sqlite(file)).ok()) return kCannotSeal;
      call();
      return 0;
    });
  };
  CHECK(sealed([] {
          char name[] = "/bin/true";
          char* const arguments[] = {name, nullptr};
          execv(name, arguments);
        }) == -SIGSYS);
  CHECK(sealed([] { (void)listen(0, 1); }) == -SIGSYS);
  CHECK(in_sealing_child([&] {
          if (!seal(of_sqlite(file), files_of_sqlite(file)).ok()) return kCannotSeal;
          return !kDeniesTheRest || fork() == -1 ? 0 : 1;
        }) == 0);
}

TEST_CASE("sandbox of accounts: `off` changes nothing", "[accounts][unit]") {
  CHECK(in_sealing_child([] {
          auto settings = of_postgres("/nowhere");
          settings.sandbox = common::SandboxMode::kOff;
          const auto state = seal(settings, {});
          if (!state.ok() || state->seccomp || state->landlock_abi != 0) return 1;
          return opening("/etc/passwd", O_RDONLY);
        }) == 0);
}

#if !defined(YOLOD_INSTRUMENTED) || defined(YOLOD_COVERAGE)  // the leak check of a sanitizer needs ptrace
TEST_CASE("sandbox of accounts: its memory is in no core dump and no other process's reach", "[accounts][unit]") {
  CHECK(in_sealing_child([] {
          hide_memory();
          return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 1;
        }) == 0);
}
#endif

}  // namespace yolod::app::accounts
