// The schema of the database is a sequence of numbered steps. Each step is a transaction, so a crash in the middle of
// a step changes nothing. Never change a released step; add another step instead.
#pragma once

#include <cstdint>
#include <span>

#include "app/accounts/database.hpp"
#include "common/outcome.hpp"

namespace yolod::app::accounts {

struct Migration {
  std::int64_t number;  // 1, 2, 3 ...
  const char* sqlite;
  const char* postgres;
};

// Returns all steps in order.
[[nodiscard]] std::span<const Migration> all_migrations();

// Does the steps that the database does not have yet. Several processes may do this at the same time. Fails with
// kSystem and a sentence that says why the database cannot be used.
[[nodiscard]] common::Outcome<void> migrate(Database& database,
                                            std::span<const Migration> migrations = all_migrations());

}  // namespace yolod::app::accounts
