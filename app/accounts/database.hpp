// A connection to a database: one set of statements for two back ends. Statements are prepared, at their first use, and
// are the only way in; parameters are written $1, $2 ... in the order of their first appearance.
//
// One thread. Nothing throws. A connection that has said kUnavailable is of no use any more: open another.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/accounts/protocol/digest.hpp"
#include "common/clock.hpp"
#include "common/outcome.hpp"

namespace yolod::app::accounts {

// What a statement is given and what it returns: a number, a text, or bytes.
using Value = std::variant<std::int64_t, std::string, std::vector<std::uint8_t>>;
using Row = std::vector<Value>;  // NULL reads as 0

[[nodiscard]] Value value_of(const protocol::Digest& digest);
// A broken row gives 0, an empty text or a digest of zeros.
[[nodiscard]] std::int64_t number_in(const Row& row, std::size_t column);
[[nodiscard]] std::string text_in(const Row& row, std::size_t column);
[[nodiscard]] protocol::Digest digest_in(const Row& row, std::size_t column);

enum class Ran {
  kDone,
  kAgain,        // another transaction was in the way: the whole transaction is to be tried again
  kUnavailable,  // the database does not answer, or not in time, or answers nonsense; the log says why
};

// A statement's text. Made for constants: a connection keeps what it has prepared by the text's address.
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

  // A transaction that no other can disturb: as if they came one after another.
  [[nodiscard]] virtual Ran begin() = 0;
  [[nodiscard]] virtual Ran commit() = 0;
  virtual void roll_back() = 0;

  // A migration's text: several statements without parameters.
  [[nodiscard]] virtual Ran run_script(const std::string& sql) = 0;
  // Keeps all other processes from migrating. Outside of a transaction; goes with the connection at the latest.
  [[nodiscard]] virtual Ran lock_migrations() = 0;
  virtual void unlock_migrations() = 0;

  // Whether a change could be made now.
  [[nodiscard]] virtual Ran probe() = 0;

  // From now on wait_for_changes() hears what other connections change.
  [[nodiscard]] virtual Ran listen() = 0;
  // Waits until something was heard, until `wake` (a descriptor) is readable, or for so long. Adds what was heard.
  [[nodiscard]] virtual Ran wait_for_changes(int wake, common::milliseconds longest,
                                             std::vector<std::string>& heard) = 0;

  [[nodiscard]] virtual bool is_postgres() const = 0;
};

}  // namespace yolod::app::accounts
