// Only builds with fault points have these cases. They kill yolod-accounts with SIGKILL at each step of a change.
// Afterwards the database has the whole change or nothing of it, and it has every confirmed change.
#include <signal.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/accounts_database.hpp"
#include "tests/support/accounts_process.hpp"
#include "tests/support/accounts_requests.hpp"

namespace yolod::tests {
namespace {

using namespace app::accounts::protocol;

enum class Must { kBeThere, kNotBeThere };

// A step of a change. The change may have to exist after a kill at this step.
struct Step {
  std::string_view name;
  Must change;
};
const std::vector<Step> kSteps{{"accounts: about to write", Must::kNotBeThere},
                               {"accounts: wrote, not committed yet", Must::kNotBeThere},
                               {"accounts: committed", Must::kBeThere},
                               {"accounts: about to answer", Must::kBeThere}};

// A process that dies at the step as soon as the token exists.
struct Doomed {
  Doomed(const AccountsDatabase& database, std::string_view step)
      : accounts(database.settings(), {"YOLOD_FAULT_POINT=" + std::string(step),
                                       "YOLOD_FAULT_TOKEN=" + (folder.path() / "token").string()}) {}
  // Requests the change. The process dies during the change, so no answer comes.
  void dies_of(Command command) {
    (void)folder.write("token", "");
    CHECK_FALSE(accounts.wait_for(accounts.send(std::move(command))));
    CHECK(accounts.wait_for_exit() == killed_by(SIGKILL));
    CHECK(std::filesystem::exists(folder.path() / "token.victim"));
  }
  TemporaryDirectory folder;
  AccountsProcess accounts;
};

}  // namespace

YOLOD_TEST_OVER_BOTH(dies_while_adding, "killed at each step of adding a person", "[accounts]") {
  for (const Step& step : kSteps) {
    CAPTURE(step.name);
    const std::string name = "person" + std::to_string(&step - kSteps.data());
    {
      Doomed doomed(database, step.name);
      REQUIRE(doomed.accounts.wait_until_ready());
      doomed.dies_of(AddPerson{{}, name, Secret(kPassword), Role::kUser});
    }
    AccountsProcess accounts(database.settings());
    REQUIRE(accounts.wait_until_ready());
    const auto expected = step.change == Must::kBeThere ? Status::kOk : Status::kWrongCredentials;
    CHECK(accounts.ask(LogIn{name, Secret(kPassword), "10.0.0.1"}).status == expected);
  }
}

YOLOD_TEST_OVER_BOTH(dies_while_changing, "killed at each step of a new password, which ends sessions", "[accounts]") {
  {
    AccountsProcess accounts(database.settings());
    REQUIRE(accounts.wait_until_ready());
    REQUIRE(accounts.ask(AddPerson{{}, "anna", Secret(kPassword), Role::kUser}).status == Status::kOk);
  }
  const char* old_password = kPassword;
  const char* new_password = kOtherPassword;
  for (const Step& step : kSteps) {
    CAPTURE(step.name);
    std::optional<SessionOpened> kept;
    std::optional<SessionOpened> ended;
    {
      AccountsProcess accounts(database.settings());
      REQUIRE(accounts.wait_until_ready());
      kept = log_in(accounts, "anna", old_password);
      ended = log_in(accounts, "anna", old_password);
    }
    {
      Doomed doomed(database, step.name);
      REQUIRE(doomed.accounts.wait_until_ready());
      doomed.dies_of(ChangePassword{kept->person, Secret(old_password), Secret(new_password),
                                    digest_of(kept->token.view()), "10.0.0.1"});
    }
    AccountsProcess accounts(database.settings());
    REQUIRE(accounts.wait_until_ready());
    const bool changed = step.change == Must::kBeThere;
    CHECK(comes_in(accounts, kept->token));
    CHECK(comes_in(accounts, ended->token) == !changed);
    if (changed) std::swap(old_password, new_password);
    CHECK(accounts.ask(LogIn{"anna", Secret(old_password), "10.0.0.1"}).status == Status::kOk);
    CHECK(accounts.ask(LogIn{"anna", Secret(new_password), "10.0.0.1"}).status == Status::kWrongCredentials);
  }
}

YOLOD_TEST_OVER_BOTH(dies_while_removing, "killed at each step of removing a person with sessions and keys",
                     "[accounts]") {
  for (const Step& step : kSteps) {
    CAPTURE(step.name);
    std::optional<SessionOpened> session;
    {
      AccountsProcess accounts(database.settings());
      REQUIRE(accounts.wait_until_ready());
      (void)accounts.ask(AddPerson{{}, "anna", Secret(kPassword), Role::kUser});  // is there yet, or is again
      session = log_in(accounts, "anna");
      REQUIRE(accounts.ask(CreateKey{{ActorKind::kPerson, session->person}, "", "key"}).status == Status::kOk);
    }
    std::size_t before = 0;
    {
      Doomed doomed(database, step.name);
      REQUIRE(doomed.accounts.wait_until_ready());
      before = doomed.accounts.table().size();
      doomed.dies_of(RemovePerson{{}, "anna"});
    }
    AccountsProcess accounts(database.settings());
    REQUIRE(accounts.wait_until_ready());
    CHECK(accounts.table().size() == (step.change == Must::kBeThere ? 0 : before));
  }
}

YOLOD_TEST_OVER_BOTH(confirmed_stays, "what was confirmed is there after a kill at any moment", "[accounts]") {
  std::vector<Secret> confirmed;
  for (int round = 0; round < 3; ++round) {
    AccountsProcess accounts(database.settings());
    REQUIRE(accounts.wait_until_ready());
    CHECK(accounts.table().size() >= confirmed.size());
    for (const auto& key : confirmed) CHECK(comes_in(accounts, key));
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 30; ++i) ids.push_back(accounts.send(CreateKey{{}, "", "key"}));
    // The process dies after some of the answers.
    for (std::size_t i = 0; i < 5 + static_cast<std::size_t>(round) * 10; ++i) {
      auto reply = accounts.wait_for(ids[i]);
      REQUIRE(reply);
      REQUIRE(reply->status == Status::kOk);
      confirmed.push_back(std::move(std::get<KeyCreated>(reply->result).key));
    }
    ::kill(accounts.pid(), SIGKILL);
    CHECK(accounts.wait_for_exit() == killed_by(SIGKILL));
  }
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  for (const auto& key : confirmed) CHECK(comes_in(accounts, key));
}

TEST_CASE("SQLite: killed in the middle of a migration, the next start does it", "[accounts]") {
  const AccountsDatabase database(Backend::kSqlite);
  for (int step = 0; step < 2; ++step) {
    const TemporaryDirectory folder;
    const auto token = folder.write("token", "");
    AccountsProcess accounts(database.settings(), {"YOLOD_FAULT_POINT=accounts: migrated, not committed yet",
                                                   "YOLOD_FAULT_TOKEN=" + token.string()});
    CHECK(accounts.wait_for_exit() == killed_by(SIGKILL));
  }
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  CHECK(accounts.ask(AddPerson{{}, "anna", Secret(kPassword), Role::kUser}).status == Status::kOk);
}

TEST_CASE("PostgreSQL: killed in the middle of a migration, the next start does it", "[accounts][postgres]") {
  if (skips_postgres()) return;
  const AccountsDatabase database(Backend::kPostgres);
  {
    const TemporaryDirectory folder;
    const auto token = folder.write("token", "");
    AccountsProcess accounts(database.settings(), {"YOLOD_FAULT_POINT=accounts: migrated, not committed yet",
                                                   "YOLOD_FAULT_TOKEN=" + token.string()});
    CHECK(accounts.wait_for_exit() == killed_by(SIGKILL));
  }
  AccountsProcess accounts(database.settings());
  REQUIRE(accounts.wait_until_ready());
  CHECK(accounts.ask(AddPerson{{}, "anna", Secret(kPassword), Role::kUser}).status == Status::kOk);
}

}  // namespace yolod::tests
