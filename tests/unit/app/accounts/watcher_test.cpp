#include "app/accounts/watcher.hpp"

#include <poll.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/accounts_database.hpp"
#include "tests/support/deadline.hpp"
#include "tests/unit/app/accounts/failing_database.hpp"
#include "tests/unit/app/accounts/store_helpers.hpp"

namespace yolod::app::accounts::watcher_test {
namespace {

// A database that hears the messages of the test. All other calls go to a real database.
class TalkingDatabase final : public Database {
 public:
  // `told`: the messages of other machines, each list once.
  TalkingDatabase(std::unique_ptr<Database> real, std::vector<std::vector<std::string>> told)
      : real_(std::move(real)), told_(std::move(told)) {}

  [[nodiscard]] Ran run(const Statement& statement, const std::vector<Value>& parameters, std::vector<Row>* rows,
                        std::int64_t* changed) override {
    return real_->run(statement, parameters, rows, changed);
  }
  [[nodiscard]] Ran begin() override { return real_->begin(); }
  [[nodiscard]] Ran commit() override { return real_->commit(); }
  void roll_back() override { real_->roll_back(); }
  [[nodiscard]] Ran run_script(const std::string& sql) override { return real_->run_script(sql); }
  [[nodiscard]] Ran lock_migrations() override { return real_->lock_migrations(); }
  void unlock_migrations() override { real_->unlock_migrations(); }
  [[nodiscard]] Ran probe() override { return real_->probe(); }
  [[nodiscard]] Ran listen() override { return real_->listen(); }
  [[nodiscard]] Ran wait_for_changes(int wake, common::milliseconds longest, std::vector<std::string>& heard) override {
    if (next_ == told_.size()) return real_->wait_for_changes(wake, longest, heard);
    heard = told_[next_++];
    return Ran::kDone;
  }
  [[nodiscard]] bool is_postgres() const override { return real_->is_postgres(); }

 private:
  std::unique_ptr<Database> real_;
  const std::vector<std::vector<std::string>> told_;
  std::size_t next_{0};
};

// Runs a watcher of a real SQLite database, and records the events that the watcher reports.
class WatcherBench {
 public:
  // Returns the connection number `number`, from 0 on. `real` is the true connection to the database.
  using Connect = std::function<common::Outcome<std::unique_ptr<Database>>(int number, std::unique_ptr<Database> real)>;

  explicit WatcherBench(const tests::AccountsDatabase& database, Connect connect)
      : database_(database), connect_(std::move(connect)) {}

  void start() {
    watcher_ = std::make_unique<Watcher>(
        mailbox_, [this] { return open(); }, events());
  }
  [[nodiscard]] bool run_until(const std::function<bool()>& holds) {
    const auto end = common::Clock::now() + tests::scaled(tests::kGenerous);
    while (!holds()) {
      if (common::Clock::now() >= end) return false;
      pollfd mail{mailbox_.descriptor(), POLLIN, 0};
      (void)poll(&mail, 1, 100);
      (void)mailbox_.open();
    }
    return true;
  }
  Watcher& watcher() { return *watcher_; }
  [[nodiscard]] int connections() const { return connections_; }

  int readings{0};
  std::vector<std::vector<AccessEntry>> snapshots;
  std::vector<std::string> losses;
  struct Change {
    std::vector<Digest> removed;
    std::vector<AccessEntry> added;
  };
  std::vector<Change> changes;

 private:
  common::Outcome<std::unique_ptr<AccountStore>> open() {
    auto connected = connect_(connections_++, database_.open());
    if (!connected) return connected.error();
    return std::make_unique<AccountStore>(*std::move(connected));
  }
  WatcherEvents events() {
    return {[this] { ++readings; },
            [this](std::vector<AccessEntry> entries) { snapshots.push_back(std::move(entries)); },
            [this](std::vector<Digest> removed, std::vector<AccessEntry> added) {
              changes.push_back({std::move(removed), std::move(added)});
            },
            [this](std::string why) { losses.push_back(std::move(why)); }};
  }

  const tests::AccountsDatabase& database_;
  Connect connect_;
  std::atomic<int> connections_{0};
  Mailbox mailbox_;
  std::unique_ptr<Watcher> watcher_;
};

constexpr Seconds kLongFromNow = 4'000'000'000;

KeyId add_lasting_key(AccountStore& store, std::uint8_t byte, PersonId owner = 0) {
  auto draft = draft_of(owner, byte);
  draft.record.expires = kLongFromNow;
  return add_key(store, draft);
}

}  // namespace

TEST_CASE("Watcher: it reads everything at the start, and again after check()", "[accounts][unit]") {
  const tests::AccountsDatabase database(tests::Backend::kSqlite);
  const auto store = database.open_store();
  add_lasting_key(*store, 1);
  WatcherBench bench(database, [](int /*number*/, std::unique_ptr<Database> real) { return real; });
  bench.start();
  REQUIRE(bench.run_until([&] { return bench.snapshots.size() == 1; }));
  CHECK(bench.readings == 1);
  REQUIRE(bench.snapshots[0].size() == 1);
  CHECK(bench.snapshots[0][0].digest == digest_with(1));
  add_lasting_key(*store, 2);
  bench.watcher().check();
  REQUIRE(bench.run_until([&] { return bench.snapshots.size() == 2; }));
  CHECK(bench.snapshots[1].size() == 2);
  CHECK(bench.losses.empty());
  CHECK(bench.connections() == 1);
}

TEST_CASE("Watcher: whichever call of its connection fails, it reconnects and reads everything", "[accounts][unit]") {
  const tests::AccountsDatabase database(tests::Backend::kSqlite);
  add_lasting_key(*database.open_store(), 1);
  int at = 0;
  for (bool failed = true; failed; ++at) {
    CAPTURE(at);
    WatcherBench bench(database, [&](int number, std::unique_ptr<Database> real) -> std::unique_ptr<Database> {
      if (number > 0) return real;
      return std::make_unique<FailingDatabase>(std::move(real), at, Ran::kUnavailable, FailingDatabase::Counts::kAll);
    });
    bench.start();
    // A check makes the watcher call the database again after the first snapshot.
    REQUIRE(bench.run_until([&] { return !bench.snapshots.empty(); }));
    const std::size_t before = bench.snapshots.size();
    bench.watcher().check();
    REQUIRE(bench.run_until([&] { return bench.snapshots.size() > before; }));
    failed = !bench.losses.empty();
    if (failed) REQUIRE(bench.run_until([&] { return bench.connections() == 2; }));
    CHECK(bench.snapshots.back().size() == 1);
  }
  CHECK(at > 8);
}

TEST_CASE("Watcher: while the database cannot be opened it tells why, and tries again and again", "[accounts][unit]") {
  const tests::AccountsDatabase database(tests::Backend::kSqlite);
  constexpr int kFailures = 4;
  WatcherBench bench(database, [](int number, std::unique_ptr<Database> real) {
    return number < kFailures ? common::Outcome<std::unique_ptr<Database>>(
                                    common::Error{common::ErrorCode::kSystem, "no route to the database"})
                              : common::Outcome<std::unique_ptr<Database>>(std::move(real));
  });
  bench.start();
  const auto began = common::Clock::now();
  REQUIRE(bench.run_until([&] { return !bench.snapshots.empty(); }));
  CHECK(bench.losses == std::vector<std::string>(kFailures, "no route to the database"));
  constexpr common::milliseconds kPauses{50 + 100 + 200 + 400};
  CHECK(common::Clock::now() - began >= kPauses);
}

TEST_CASE("Watcher: a watcher that waits for a lost database ends at once", "[accounts][unit]") {
  const tests::AccountsDatabase database(tests::Backend::kSqlite);
  auto bench = std::make_unique<WatcherBench>(database, [](int /*number*/, std::unique_ptr<Database> /*real*/) {
    return common::Outcome<std::unique_ptr<Database>>(common::Error{common::ErrorCode::kSystem, "away"});
  });
  bench->start();
  REQUIRE(bench->run_until([&] { return bench->losses.size() >= 2; }));
  bench->watcher().check();  // a check during the pause does not shorten it
  bench.reset();             // a watcher that did not end would keep the test from ending
}

TEST_CASE("Watcher: the changes of other machines are read one by one, and other messages are ignored",
          "[accounts][unit]") {
  const tests::AccountsDatabase database(tests::Backend::kSqlite);
  const auto store = database.open_store();
  const PersonId anna = add(*store, "anna");
  add_lasting_key(*store, 1);
  add_lasting_key(*store, 2, anna);
  const std::string there = "k" + protocol::to_hex(digest_with(1));
  const std::string gone = "s" + protocol::to_hex(digest_with(9));
  WatcherBench bench(database, [&](int /*number*/, std::unique_ptr<Database> real) -> std::unique_ptr<Database> {
    std::vector<std::vector<std::string>> told{
        {there, gone, there, "", "k", "knot hexadecimal"}, {"p" + std::to_string(anna)}, {"p999"}};
    return std::make_unique<TalkingDatabase>(std::move(real), std::move(told));
  });
  bench.start();
  REQUIRE(bench.run_until([&] { return bench.changes.size() == 3; }));
  REQUIRE(bench.changes[0].added.size() == 1);
  CHECK(bench.changes[0].added[0].digest == digest_with(1));
  CHECK(bench.changes[0].removed == std::vector<Digest>{digest_with(9)});
  REQUIRE(bench.changes[1].added.size() == 1);
  CHECK(bench.changes[1].added[0].digest == digest_with(2));
  CHECK(bench.changes[2].added.empty());  // there is no such person
  CHECK(bench.changes[2].removed.empty());
  CHECK(bench.losses.empty());
}

}  // namespace yolod::app::accounts::watcher_test
