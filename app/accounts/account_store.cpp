#include "app/accounts/account_store.hpp"

#include "common/fault_point.hpp"
#include "common/log.hpp"

namespace yolod::app::accounts {

AccountStore::AccountStore(std::unique_ptr<Database> database, StoreLimits limits)
    : database_(std::move(database)), limits_(limits) {}

bool AccountStore::run(const Statement& statement, const std::vector<Value>& parameters, std::vector<Row>* rows,
                       std::int64_t* changed) {
  ran_ = database_->run(statement, parameters, rows, changed);
  if (ran_ == Ran::kUnavailable) lost_ = true;
  return ran_ == Ran::kDone;
}

Status AccountStore::read(const Statement& statement, const std::vector<Value>& parameters, std::vector<Row>& rows) {
  return run(statement, parameters, &rows) ? Status::kOk : Status::kUnavailable;
}

bool AccountStore::count(const Statement& statement, const std::vector<Value>& parameters, std::int64_t& number) {
  std::vector<Row> rows;
  if (!run(statement, parameters, &rows)) return false;
  number = rows.empty() ? 0 : number_in(rows.front(), 0);
  return true;
}

Status AccountStore::transaction(const std::function<Status()>& change, Origin origin) {
  constexpr int kMostTries = 8;
  const auto reach = [origin](common::FaultPoint point) {
    if (origin == Origin::kClient) common::reach(point);
  };
  for (int tries = 0; tries < kMostTries; ++tries) {
    reach(common::FaultPoint::kAccountsAboutToWrite);
    if (database_->begin() != Ran::kDone) {
      lost_ = true;
      return Status::kUnavailable;
    }
    ran_ = Ran::kDone;
    const Status status = change();
    if (ran_ == Ran::kDone && status != Status::kOk) {
      database_->roll_back();
      return status;
    }
    if (ran_ == Ran::kDone) {
      reach(common::FaultPoint::kAccountsWrote);
      ran_ = database_->commit();
      in_doubt_ = ran_ == Ran::kUnavailable;
    }
    if (ran_ == Ran::kDone) {
      reach(common::FaultPoint::kAccountsCommitted);
      return Status::kOk;
    }
    if (ran_ == Ran::kUnavailable) {
      lost_ = true;
      database_->roll_back();
      return Status::kUnavailable;
    }
    database_->roll_back();
  }
  common::log_warning(
      "the database of accounts: gave up a change after {} tries, because other transactions blocked it", kMostTries);
  return Status::kBusy;
}

bool AccountStore::end_sessions(const Statement& statement, const std::vector<Value>& parameters,
                                std::vector<Digest>& removed) {
  std::vector<Row> rows;
  if (!run(statement, parameters, &rows)) return false;
  for (const Row& row : rows) removed.push_back(digest_in(row, 0));
  return true;
}

}  // namespace yolod::app::accounts
