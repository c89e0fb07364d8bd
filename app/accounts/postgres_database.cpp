#include "app/accounts/postgres_database.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <sodium.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <map>
#include <utility>

#include "common/log.hpp"
#include "common/text.hpp"

namespace yolod::app::accounts {
namespace {

using common::Clock;
using common::Error;
using common::ErrorCode;
using common::milliseconds;
using common::Outcome;

struct FinishConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Connection = std::unique_ptr<PGconn, FinishConnection>;
struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, ClearResult>;

constexpr Oid kBytesType = 17;  // bytea
constexpr Oid kInt8Type = 20;
constexpr Oid kInt4Type = 23;

// Waits until the socket is readable or writable. Returns false if the time is up first.
bool wait_on(PGconn* connection, short events, Clock::time_point end) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
    if (left.count() <= 0) return false;
    pollfd waited{PQsocket(connection), events, 0};
    const int ready = poll(&waited, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

std::string first_line(const char* message) {
  const std::string_view text(message);
  return common::printable(common::trimmed(text.substr(0, text.find('\n'))));
}

// A parameter for libpq: bytes are binary, all other values are text.
struct Parameter {
  std::string text;
  bool binary;
};
Parameter parameter_of(const Value& value) {
  struct Write {
    Parameter operator()(std::int64_t number) const { return {std::to_string(number), false}; }
    Parameter operator()(const std::string& text) const { return {text, false}; }
    Parameter operator()(const std::vector<std::uint8_t>& bytes) const { return {{bytes.begin(), bytes.end()}, true}; }
  };
  return std::visit(Write{}, value);
}

Value column_of(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column) != 0) return std::int64_t{0};
  const std::string_view text(PQgetvalue(result, row, column),
                              static_cast<std::size_t>(PQgetlength(result, row, column)));
  switch (PQftype(result, column)) {
    case kInt4Type:
    case kInt8Type: {
      std::int64_t number = 0;
      std::from_chars(text.data(), text.data() + text.size(), number);
      return number;
    }
    case kBytesType: {
      std::size_t size = 0;
      unsigned char* const bytes = PQunescapeBytea(reinterpret_cast<const unsigned char*>(text.data()), &size);
      std::vector<std::uint8_t> value;
      if (bytes != nullptr) value.assign(bytes, bytes + size);
      PQfreemem(bytes);
      return value;
    }
    default: return std::string(text);
  }
}

class PostgresDatabase : public Database {
 public:
  PostgresDatabase(Connection connection, const PostgresLimits& limits)
      : connection_(std::move(connection)), limits_(limits) {}

  Ran run(const Statement& statement, const std::vector<Value>& parameters, std::vector<Row>* rows,
          std::int64_t* changed) override;
  // All machines make their changes one after the other, as SQLite does. PostgreSQL's own SERIALIZABLE reports
  // conflicts for nearly all parallel changes of a small table. Each statement sees all changes that were committed
  // before.
  Ran begin() override { return run_script("BEGIN; SELECT pg_advisory_xact_lock(7813276641)"); }
  Ran commit() override {
    PgResult result;
    const Ran ran = ask(PQsendQuery(connection_.get(), "COMMIT"), "COMMIT", result);
    // If a transaction has failed, the answer to COMMIT is ROLLBACK.
    if (ran == Ran::kDone && std::string_view(PQcmdStatus(result.get())) != "COMMIT") return Ran::kAgain;
    return ran;
  }
  void roll_back() override {
    if (PQstatus(connection_.get()) == CONNECTION_OK && PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) {
      (void)run_script("ROLLBACK");
    }
  }
  Ran run_script(const std::string& sql) override {
    PgResult result;
    return ask(PQsendQuery(connection_.get(), sql.c_str()), "a script", result);
  }
  Ran lock_migrations() override { return run_script("SELECT pg_advisory_lock(7813276640)"); }
  void unlock_migrations() override { (void)run_script("SELECT pg_advisory_unlock(7813276640)"); }
  Ran probe() override { return run({"SELECT 1"}, {}, nullptr, nullptr); }
  Ran listen() override { return run_script("LISTEN yolod_accounts"); }
  Ran wait_for_changes(int wake, milliseconds longest, std::vector<std::string>& heard) override;
  bool is_postgres() const override { return true; }

 private:
  // Waits for all results of the statement; `result` becomes the last of them.
  Ran ask(int sent, std::string_view what, PgResult& result);
  // Does the same as PQgetResult(), but waits only until `end`. A null result means that there are no more results.
  Ran next_result(Clock::time_point end, std::string_view what, PgResult& result);
  Ran prepare(const Statement& statement, std::string& name);
  Ran lost(std::string_view what, std::string_view why);

  Connection connection_;
  PostgresLimits limits_;
  std::map<const char*, std::string> prepared_;
};

Ran PostgresDatabase::lost(std::string_view what, std::string_view why) {
  common::log_error("the database of accounts: {} failed: {}", what, why);
  return Ran::kUnavailable;
}

Ran PostgresDatabase::next_result(Clock::time_point end, std::string_view what, PgResult& result) {
  PGconn* const connection = connection_.get();
  for (;;) {
    const int flushed = PQflush(connection);
    if (flushed < 0) return lost(what, first_line(PQerrorMessage(connection)));
    if (flushed == 0 && PQisBusy(connection) == 0) break;
    const short events = flushed == 0 ? POLLIN : POLLIN | POLLOUT;
    if (!wait_on(connection, events, end)) return lost(what, "the server does not answer in time");
    if (PQconsumeInput(connection) == 0) return lost(what, first_line(PQerrorMessage(connection)));
  }
  result.reset(PQgetResult(connection));
  return Ran::kDone;
}

Ran PostgresDatabase::ask(int sent, std::string_view what, PgResult& result) {
  if (sent == 0) return lost(what, first_line(PQerrorMessage(connection_.get())));
  const auto end = Clock::now() + limits_.statement;
  Ran ran = Ran::kDone;
  for (;;) {
    PgResult next;
    if (const Ran waited = next_result(end, what, next); waited != Ran::kDone) return waited;
    if (!next) return ran;
    const auto status = PQresultStatus(next.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      const char* const code = PQresultErrorField(next.get(), PG_DIAG_SQLSTATE);
      const std::string_view state = code == nullptr ? "" : code;
      // Class 40 means that another transaction was in the way. Class 23 means that another transaction has added or
      // removed a row.
      const bool again = state.starts_with("40") || state.starts_with("23");
      ran = again ? Ran::kAgain : lost(what, first_line(PQresultErrorMessage(next.get())));
    }
    result = std::move(next);
  }
}

Ran PostgresDatabase::prepare(const Statement& statement, std::string& name) {
  const auto found = prepared_.find(statement.sql);
  if (found != prepared_.end()) {
    name = found->second;
    return Ran::kDone;
  }
  name = "s" + std::to_string(prepared_.size());
  PgResult result;
  const Ran ran = ask(PQsendPrepare(connection_.get(), name.c_str(), statement.sql, 0, nullptr), statement.sql, result);
  if (ran == Ran::kDone) prepared_.emplace(statement.sql, name);
  return ran;
}

Ran PostgresDatabase::run(const Statement& statement, const std::vector<Value>& parameters, std::vector<Row>* rows,
                          std::int64_t* changed) {
  std::string name;
  if (const Ran prepared = prepare(statement, name); prepared != Ran::kDone) return prepared;
  std::vector<Parameter> written;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
  written.reserve(parameters.size());
  for (const Value& value : parameters) {
    const Parameter& parameter = written.emplace_back(parameter_of(value));
    values.push_back(parameter.text.c_str());
    lengths.push_back(static_cast<int>(parameter.text.size()));
    formats.push_back(parameter.binary ? 1 : 0);
  }
  PgResult result;
  const Ran ran = ask(PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(parameters.size()),
                                          values.data(), lengths.data(), formats.data(), 0),
                      statement.sql, result);
  if (ran != Ran::kDone) return ran;
  if (changed != nullptr) *changed = std::atoll(PQcmdTuples(result.get()));
  if (rows == nullptr) return ran;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    Row& read = rows->emplace_back();
    for (int column = 0; column < PQnfields(result.get()); ++column)
      read.push_back(column_of(result.get(), row, column));
  }
  return ran;
}

Ran PostgresDatabase::wait_for_changes(int wake, milliseconds longest, std::vector<std::string>& heard) {
  PGconn* const connection = connection_.get();
  const std::size_t before = heard.size();
  const auto take = [&] {
    while (PGnotify* const notification = PQnotifies(connection)) {
      heard.emplace_back(notification->extra);
      PQfreemem(notification);
    }
    return heard.size() > before;
  };
  if (take()) return Ran::kDone;
  std::array<pollfd, 2> waited{{{PQsocket(connection), POLLIN, 0}, {wake, POLLIN, 0}}};
  if (poll(waited.data(), waited.size(), static_cast<int>(longest.count())) <= 0 || waited[0].revents == 0) {
    return Ran::kDone;
  }
  if (PQconsumeInput(connection) == 0) return lost("listening", first_line(PQerrorMessage(connection)));
  take();
  return Ran::kDone;
}

// Connects in steps, so that no step waits longer than until `end`.
PostgresPollingStatusType connect(PGconn* connection, Clock::time_point end) {
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
    if (!wait_on(connection, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, end)) break;
    state = PQconnectPoll(connection);
  }
  return state;
}

}  // namespace

Outcome<std::unique_ptr<Database>> open_postgres(const protocol::PostgresSettings& settings,
                                                 const PostgresLimits& limits) {
  const std::string port = std::to_string(settings.port);
  const std::string timeouts =
      "-c statement_timeout=" + std::to_string(limits.statement.count() * 3 / 4) +
      " -c idle_in_transaction_session_timeout=" + std::to_string(2 * limits.statement.count());
  std::string password(settings.password.view());  // with a terminating zero
  // libpq reads no file of the home directory.
  const std::array<const char*, 11> keys{
      "host",       "port", "dbname", "user", "password", "passfile", "options", "client_encoding", "application_name",
      "gssencmode", nullptr};
  const std::array<const char*, 11> values{settings.host.c_str(),
                                           port.c_str(),
                                           settings.database.c_str(),
                                           settings.user.c_str(),
                                           password.c_str(),
                                           "/nonexistent/pgpass",
                                           timeouts.c_str(),
                                           "UTF8",
                                           "yolod-accounts",
                                           "disable",
                                           nullptr};
  Connection connection(PQconnectStartParams(keys.data(), values.data(), 0));
  sodium_memzero(password.data(), password.size());
  const std::string where = common::printable(settings.host) + ':' + port;
  const auto refused = [&](std::string_view why) {
    return Error{ErrorCode::kSystem, "cannot connect to PostgreSQL at " + where + ": " + std::string(why)};
  };
  if (!connection) return refused("no memory");
  if (PQstatus(connection.get()) == CONNECTION_BAD) return refused(first_line(PQerrorMessage(connection.get())));
  switch (connect(connection.get(), Clock::now() + limits.connect)) {
    case PGRES_POLLING_OK: break;
    case PGRES_POLLING_FAILED: return refused(first_line(PQerrorMessage(connection.get())));
    default: return refused("the server does not answer in time");
  }
  PQsetNoticeProcessor(
      connection.get(), [](void* /*unused*/, const char* /*message*/) {}, nullptr);
  if (PQsetnonblocking(connection.get(), 1) != 0) return refused("the socket cannot be made non-blocking");
  return std::unique_ptr<Database>(std::make_unique<PostgresDatabase>(std::move(connection), limits));
}

}  // namespace yolod::app::accounts
