#include "tests/support/accounts_database.hpp"

#include <stdexcept>

#include "app/accounts/migrations.hpp"
#include "app/accounts/postgres_database.hpp"
#include "app/accounts/sqlite_database.hpp"
#include "tests/support/deadline.hpp"

namespace yolod::tests {

using namespace app::accounts;

AccountsDatabase::AccountsDatabase(Backend backend) : backend_(backend) {
  if (is_postgres()) {
    name_ = PostgresServer::shared()->create_database();
    return;
  }
  name_ = (directory_.path() / "accounts.db").string();
  if (auto claimed = claim_sqlite_file(name_, 0ms); !claimed) throw std::runtime_error(claimed.error().message);
}

protocol::Settings AccountsDatabase::settings() const {
  protocol::Settings made;
  made.register_policy = protocol::RegisterPolicy::kOpen;
  if (is_postgres()) {
    made.postgres = PostgresServer::shared()->settings(name_);
  } else {
    made.sqlite_file = name_;
  }
  return made;
}

std::unique_ptr<Database> AccountsDatabase::open() const {
  auto opened = is_postgres() ? open_postgres(PostgresServer::shared()->settings(name_), {10'000ms, 60'000ms})
                              : open_sqlite(name_);
  if (!opened) throw std::runtime_error(opened.error().message);
  return *std::move(opened);
}

std::unique_ptr<AccountStore> AccountsDatabase::open_store(StoreLimits limits) const {
  auto database = open();
  if (auto migrated = migrate(*database); !migrated) throw std::runtime_error(migrated.error().message);
  return std::make_unique<AccountStore>(std::move(database), limits);
}

OpenStore AccountsDatabase::opener(StoreLimits limits) const {
  return [this, limits]() -> common::Outcome<std::unique_ptr<AccountStore>> {
    auto opened = is_postgres() ? open_postgres(PostgresServer::shared()->settings(name_)) : open_sqlite(name_);
    if (!opened) return opened.error();
    return std::make_unique<AccountStore>(*std::move(opened), limits);
  };
}

void AccountsDatabase::take_away() {
  if (is_postgres()) return PostgresServer::shared()->freeze();
  blocker_ = open();
  if (blocker_->begin() != Ran::kDone) throw std::runtime_error("SQLite refuses the lock");
}

void AccountsDatabase::give_back() {
  if (is_postgres()) return PostgresServer::shared()->thaw();
  blocker_->roll_back();
  blocker_.reset();
}

}  // namespace yolod::tests
