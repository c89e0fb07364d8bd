// A Database is a connection to SQLite or to PostgreSQL; both understand the same statements. It prepares a statement
// at its first use and passes all values as parameters, which are written $1, $2 and so on.
//
// A single thread uses a connection. Nothing throws. After kUnavailable the owner must open another connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "app/accounts/protocol/digest.hpp"
#include "common/clock.hpp"
#include "common/outcome.hpp"

namespace yolod::app::accounts {

// A parameter or a result of a statement: a number, a text, or bytes.
using Value = std::variant<std::int64_t, std::string, std::vector<std::uint8_t>>;
using Row = std::vector<Value>;  // NULL reads as 0

[[nodiscard]] Value value_of(const protocol::Digest& digest);
// Returns the parameters of a statement, in order. An initializer list would copy each of them.
template <typename... Parameters>
[[nodiscard]] std::vector<Value> values_of(Parameters&&... parameters) {
  std::vector<Value> values;
  values.reserve(sizeof...(parameters));
  (values.emplace_back(std::forward<Parameters>(parameters)), ...);
  return values;
}
// These functions return 0, an empty text or a digest of zeros if the row does not have such a value.
[[nodiscard]] std::int64_t number_in(const Row& row, std::size_t column);
[[nodiscard]] std::string text_in(const Row& row, std::size_t column);
[[nodiscard]] protocol::Digest digest_in(const Row& row, std::size_t column);

enum class Ran {
  kDone,
  kAgain,        // another transaction was in the way; the caller must repeat its transaction
  kUnavailable,  // the database does not answer, or not in time, or answers nonsense; the log says why
};

// The text of a statement. It must be a constant, because a connection finds a prepared statement by the text's
// address.
struct Statement {
  const char* sql;
};

class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  virtual ~Database() = default;

  // `rows` may be null. `changed`, if it is not null, becomes how many rows the statement wrote.
  [[nodiscard]] virtual Ran run(const Statement& statement, const std::vector<Value>& parameters,
                                std::vector<Row>* rows = nullptr, std::int64_t* changed = nullptr) = 0;

  // begin() starts a transaction. Transactions run one after another, on all machines.
  [[nodiscard]] virtual Ran begin() = 0;
  [[nodiscard]] virtual Ran commit() = 0;
  virtual void roll_back() = 0;

  // A migration's text: several statements without parameters.
  [[nodiscard]] virtual Ran run_script(const std::string& sql) = 0;
  // Keeps all other processes from migrating until unlock_migrations() or the end of the connection. REQUIRES: no
  // transaction is open.
  [[nodiscard]] virtual Ran lock_migrations() = 0;
  virtual void unlock_migrations() = 0;

  // Checks whether the database could make a change now.
  [[nodiscard]] virtual Ran probe() = 0;

  // After this call wait_for_changes() hears of the changes that other connections make.
  [[nodiscard]] virtual Ran listen() = 0;
  // Waits until another connection has told of a change, until the descriptor `wake` is readable, or for `longest`.
  // Adds the messages to `heard`.
  [[nodiscard]] virtual Ran wait_for_changes(int wake, common::milliseconds longest,
                                             std::vector<std::string>& heard) = 0;

  [[nodiscard]] virtual bool is_postgres() const = 0;
};

}  // namespace yolod::app::accounts
