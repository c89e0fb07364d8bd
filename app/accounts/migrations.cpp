#include "app/accounts/migrations.hpp"

#include <string>
#include <vector>

#include "common/fault_point.hpp"
#include "common/log.hpp"

namespace yolod::app::accounts {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

// The table has a row for each step that was done.
constexpr const char* kVersionTable = "CREATE TABLE IF NOT EXISTS yolod_schema (version BIGINT NOT NULL PRIMARY KEY)";
constexpr Statement kVersion{"SELECT COALESCE(MAX(version), 0) FROM yolod_schema"};
constexpr Statement kStepDone{"INSERT INTO yolod_schema (version) VALUES ($1)"};

Error not_done(std::int64_t number) {
  return {ErrorCode::kSystem, "the database of accounts cannot change to version " + std::to_string(number)};
}

Outcome<void> do_step(Database& database, const Migration& step) {
  const char* const sql = database.is_postgres() ? step.postgres : step.sqlite;
  const bool done = database.begin() == Ran::kDone && database.run_script(sql) == Ran::kDone &&
                    database.run(kStepDone, {step.number}) == Ran::kDone;
  if (done) {
    common::reach(common::FaultPoint::kAccountsMigrated);
    if (database.commit() == Ran::kDone) {
      common::log_info("the database of accounts has version {} now", step.number);
      return {};
    }
  }
  database.roll_back();
  return not_done(step.number);
}

Outcome<void> do_missing_steps(Database& database, std::span<const Migration> migrations) {
  std::vector<Row> rows;
  if (database.run_script(kVersionTable) != Ran::kDone || database.run(kVersion, {}, &rows) != Ran::kDone ||
      rows.empty()) {
    return not_done(1);
  }
  const std::int64_t version = number_in(rows.front(), 0);
  const std::int64_t newest = migrations.empty() ? 0 : migrations.back().number;
  if (version > newest) {
    return Error{ErrorCode::kSystem, "the database of accounts has version " + std::to_string(version) +
                                         " of a newer yolod; this yolod knows versions up to " +
                                         std::to_string(newest)};
  }
  for (const Migration& step : migrations) {
    if (step.number <= version) continue;
    if (auto done = do_step(database, step); !done) return done;
  }
  return {};
}

}  // namespace

Outcome<void> migrate(Database& database, std::span<const Migration> migrations) {
  if (database.lock_migrations() != Ran::kDone) return not_done(1);
  auto done = do_missing_steps(database, migrations);
  database.unlock_migrations();
  return done;
}

}  // namespace yolod::app::accounts
