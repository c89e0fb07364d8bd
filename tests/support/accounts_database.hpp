// An empty database of accounts, in either back end: the same cases run over both.
#pragma once

#include <memory>
#include <string>

#include "app/accounts/account_store.hpp"
#include "app/accounts/store_pool.hpp"
#include "tests/support/postgres_server.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {

enum class Backend { kSqlite, kPostgres };

class AccountsDatabase {
 public:
  explicit AccountsDatabase(Backend backend);

  [[nodiscard]] bool is_postgres() const { return backend_ == Backend::kPostgres; }
  // The settings of a yolod-accounts over it.
  [[nodiscard]] app::accounts::protocol::Settings settings() const;
  // A connection; throws where there is none.
  [[nodiscard]] std::unique_ptr<app::accounts::Database> open() const;
  // Opens a store and migrates its schema.
  [[nodiscard]] std::unique_ptr<app::accounts::AccountStore> open_store(app::accounts::StoreLimits limits = {}) const;
  [[nodiscard]] app::accounts::OpenStore opener(app::accounts::StoreLimits limits = {}) const;

  // Makes it hang, or otherwise unable to change anything, and ends that.
  void take_away();
  void give_back();

 private:
  Backend backend_;
  TemporaryDirectory directory_;
  std::string name_;
  std::unique_ptr<app::accounts::Database> blocker_;
};

}  // namespace yolod::tests

// Makes one case over each back end, with the body `function`. ctest runs all cases with the tag [postgres] as one entry.
// It reports the entry as skipped if PostgreSQL is not installed.
#define YOLOD_TEST_OVER_BOTH(function, name, tags)                         \
  static void function(yolod::tests::AccountsDatabase& database);          \
  TEST_CASE("SQLite: " name, tags) {                                       \
    yolod::tests::AccountsDatabase made(yolod::tests::Backend::kSqlite);   \
    function(made);                                                        \
  }                                                                        \
  TEST_CASE("PostgreSQL: " name, tags "[postgres]") {                         \
    if (yolod::tests::skips_postgres()) return;                            \
    yolod::tests::AccountsDatabase made(yolod::tests::Backend::kPostgres); \
    function(made);                                                        \
  }                                                                        \
  static void function([[maybe_unused]] yolod::tests::AccountsDatabase& database)
