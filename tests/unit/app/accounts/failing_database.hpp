// FailingDatabase lets a call of a real database fail. Only one thread may use it, as with every database.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/accounts/database.hpp"

namespace yolod::app::accounts {

// The call with the number `at` fails with `how`. The numbers count from 0. The calls of the watcher count only with
// Counts::kAll.
class FailingDatabase final : public Database {
 public:
  enum class Counts { kChanges, kAll };
  FailingDatabase(std::unique_ptr<Database> real, int at, Ran how, Counts counts = Counts::kChanges)
      : real_(std::move(real)), at_(at), how_(how), counts_(counts) {}

  [[nodiscard]] Ran run(const Statement& statement, const std::vector<Value>& parameters, std::vector<Row>* rows,
                        std::int64_t* changed) override {
    return fails() ? how_ : real_->run(statement, parameters, rows, changed);
  }
  [[nodiscard]] Ran begin() override { return fails() ? how_ : real_->begin(); }
  [[nodiscard]] Ran commit() override { return fails() ? how_ : real_->commit(); }
  void roll_back() override { real_->roll_back(); }
  [[nodiscard]] Ran run_script(const std::string& sql) override { return fails() ? how_ : real_->run_script(sql); }
  [[nodiscard]] Ran lock_migrations() override { return fails() ? how_ : real_->lock_migrations(); }
  void unlock_migrations() override { real_->unlock_migrations(); }
  [[nodiscard]] Ran probe() override { return watcher_fails() ? how_ : real_->probe(); }
  [[nodiscard]] Ran listen() override { return watcher_fails() ? how_ : real_->listen(); }
  [[nodiscard]] Ran wait_for_changes(int wake, common::milliseconds longest, std::vector<std::string>& heard) override {
    return watcher_fails() ? how_ : real_->wait_for_changes(wake, longest, heard);
  }
  [[nodiscard]] bool is_postgres() const override { return real_->is_postgres(); }

  [[nodiscard]] bool has_failed() const { return count_ > at_; }

 private:
  bool fails() { return count_++ == at_; }
  bool watcher_fails() { return counts_ == Counts::kAll && fails(); }

  std::unique_ptr<Database> real_;
  const int at_;
  const Ran how_;
  const Counts counts_;
  int count_{0};
};

}  // namespace yolod::app::accounts
