#include "app/accounts_child.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <memory>
#include <string>

#include "app/access/door_feed.hpp"
#include "app/print_config.hpp"
#include "common/awake_clock.hpp"
#include "tests/unit/app/process/script_child_bench.hpp"

namespace yolod::app {
namespace {

using common::ErrorCode;

class AccountsChildBench : public process::ScriptChildBench {
 public:
  AccountsChildBench() : ScriptChildBench(process::kLives) { config.server.state_dir = folder.path() / "state"; }
  common::Outcome<std::unique_ptr<AccountsChild>> make() {
    return AccountsChild::make(io, spawn, children, config, access::known_keys_of(door));
  }

  common::Config config;
  access::Door door{config.access};
};

TEST_CASE("AccountsChild: the folder of the database is for the server's user alone", "[app][unit]") {
  AccountsChildBench bench;
  REQUIRE(bench.make().ok());
  struct stat info {};
  REQUIRE(stat(bench.config.server.state_dir.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  CHECK(bench.make().ok());  // the folder may exist
  bench.config.server.state_dir = bench.folder.path() / "missing" / "state";
  const auto made = bench.make();
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().code == ErrorCode::kSystem);
}

TEST_CASE("AccountsChild: a path that is too long for the settings is refused", "[app][unit]") {
  AccountsChildBench bench;
  bench.config.postgres.emplace();
  bench.config.postgres->password_file = "/" + std::string(2000, 'x');
  const auto made = bench.make();
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().code == ErrorCode::kBadConfig);
}

TEST_CASE("AccountsChild: its state follows the process", "[app][unit]") {
  AccountsChildBench bench;
  auto made = bench.make();
  REQUIRE(made.ok());
  AccountsChild& child = **made;
  CHECK(child.status().state == "dead");
  child.start();
  CHECK(child.is_alive());
  CHECK(child.status().state == "starting");
  CHECK_FALSE(child.status().sandbox.has_value());
  child.tick(common::AwakeClock::now());
  child.stop();
  child.send_signal(SIGKILL);
  REQUIRE(bench.wait_until([&] { return !child.is_alive(); }));
  CHECK(child.status().state == "dead");
  CHECK(child.status().restarts == 0);
}

TEST_CASE("AccountsChild: yolod-accounts gets the settings of the config", "[app][unit]") {
  common::Config config;
  config.server.state_dir = "/state";
  config.access.session_idle = common::milliseconds(1500);
  const auto [given, wanted] = GENERATE(table<common::RegisterPolicy, accounts::protocol::RegisterPolicy>(
      {{common::RegisterPolicy::kClosed, accounts::protocol::RegisterPolicy::kClosed},
       {common::RegisterPolicy::kInvite, accounts::protocol::RegisterPolicy::kInvite},
       {common::RegisterPolicy::kOpen, accounts::protocol::RegisterPolicy::kOpen}}));
  config.access.register_policy = given;
  auto settings = accounts_settings(config);
  CHECK(settings.register_policy == wanted);
  CHECK(settings.sqlite_file == "/state/accounts.db");
  CHECK(settings.session_idle == 2);
  config.postgres.emplace();
  config.postgres->host = "db";
  settings = accounts_settings(config);
  CHECK(settings.postgres.host == "db");
  CHECK(settings.sqlite_file.empty());
}

TEST_CASE("PrintConfig: a config that YAML can hold is printed, and no other", "[app][unit]") {
  common::Config config;
  config.models.emplace_back().name = "echo";
  config.default_model = "echo";
  config.warnings.emplace_back("a warning");
  config.postgres.emplace();
  config.postgres->password = "a secret";
  CHECK(print_config(config).ok());
  config.server.state_dir = "/bad\xFFpath";
  const auto printed = print_config(config);
  REQUIRE_FALSE(printed.ok());
  CHECK(printed.error().code == ErrorCode::kBadConfig);
}

}  // namespace
}  // namespace yolod::app
