// The schema of the database, as numbered steps. Each is one transaction: a process that dies in the middle leaves the
// schema as it was. A step that was released is never changed; another is added.
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

// All there are, in order.
[[nodiscard]] std::span<const Migration> all_migrations();

// Does those that the database does not have yet; several processes may do so at once. kSystem: one sentence says why
// the database cannot be used, for instance that a newer version has changed it.
[[nodiscard]] common::Outcome<void> migrate(Database& database,
                                            std::span<const Migration> migrations = all_migrations());

}  // namespace yolod::app::accounts
