#include "app/accounts/sqlite_database.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "common/log.hpp"
#include "common/text.hpp"

namespace yolod::app::accounts {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;
using common::UniqueFd;

constexpr int kBusyMilliseconds = 1000;
constexpr const char* kSetUp =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
    "PRAGMA trusted_schema = OFF; PRAGMA secure_delete = FAST;";

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using SqliteConnection = std::unique_ptr<sqlite3, CloseDatabase>;
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Prepared = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

class SqliteDatabase : public Database {
 public:
  explicit SqliteDatabase(SqliteConnection connection) : connection_(std::move(connection)) {}

  Ran run(const Statement& statement, const std::vector<Value>& parameters, std::vector<Row>* rows,
          std::int64_t* changed) override;
  Ran begin() override { return run({kBegin}, {}, nullptr, nullptr); }
  Ran commit() override { return run({kCommit}, {}, nullptr, nullptr); }
  void roll_back() override {
    if (sqlite3_get_autocommit(connection_.get()) == 0) (void)run({kRollBack}, {}, nullptr, nullptr);
  }
  Ran run_script(const std::string& sql) override {
    return sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK ? Ran::kDone
                                                                                                : failed("a script");
  }
  Ran lock_migrations() override { return Ran::kDone; }  // the file is claimed
  void unlock_migrations() override {}
  Ran probe() override {
    if (const Ran begun = begin(); begun != Ran::kDone) return begun;
    roll_back();
    return Ran::kDone;
  }
  Ran listen() override { return Ran::kDone; }  // only this process changes the file
  Ran wait_for_changes(int wake, common::milliseconds longest, std::vector<std::string>& /*heard*/) override {
    pollfd readable{wake, POLLIN, 0};
    (void)poll(&readable, 1, static_cast<int>(longest.count()));
    return Ran::kDone;
  }
  bool is_postgres() const override { return false; }

 private:
  static constexpr const char* kBegin = "BEGIN IMMEDIATE";
  static constexpr const char* kCommit = "COMMIT";
  static constexpr const char* kRollBack = "ROLLBACK";

  Ran failed(std::string_view what) {
    common::log_error("the database of accounts: {} failed: {}", what,
                      common::printable(sqlite3_errmsg(connection_.get())));
    return Ran::kUnavailable;
  }

  SqliteConnection connection_;
  std::map<const char*, Prepared> prepared_;  // goes before the connection
};

void bind(sqlite3_stmt* statement, int index, const Value& value) {
  struct Bind {
    sqlite3_stmt* statement;
    int index;
    void operator()(std::int64_t number) const { sqlite3_bind_int64(statement, index, number); }
    void operator()(const std::string& text) const {
      sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    }
    void operator()(const std::vector<std::uint8_t>& bytes) const {
      sqlite3_bind_blob(statement, index, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
    }
  };
  std::visit(Bind{statement, index}, value);
}

Value column_of(sqlite3_stmt* statement, int column) {
  const auto size = [&] { return static_cast<std::size_t>(sqlite3_column_bytes(statement, column)); };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_TEXT: {
      const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return std::string(text, size());
    }
    case SQLITE_BLOB: {
      const auto* const bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement, column));
      return std::vector<std::uint8_t>(bytes, bytes + size());
    }
    default: return sqlite3_column_int64(statement, column);
  }
}

Ran SqliteDatabase::run(const Statement& statement, const std::vector<Value>& parameters, std::vector<Row>* rows,
                        std::int64_t* changed) {
  Prepared& prepared = prepared_[statement.sql];
  if (!prepared) {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v3(connection_.get(), statement.sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr) !=
        SQLITE_OK) {
      return failed(statement.sql);
    }
    prepared.reset(made);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    // SQLite treats $1 as a name, not as a position.
    const std::string name = '$' + std::to_string(i + 1);
    bind(prepared.get(), sqlite3_bind_parameter_index(prepared.get(), name.c_str()), parameters[i]);
  }
  int step = SQLITE_ROW;
  while ((step = sqlite3_step(prepared.get())) == SQLITE_ROW) {
    if (rows == nullptr) continue;
    Row& row = rows->emplace_back();
    for (int column = 0; column < sqlite3_column_count(prepared.get()); ++column) {
      row.push_back(column_of(prepared.get(), column));
    }
  }
  const Ran ran = step == SQLITE_DONE ? Ran::kDone : failed(statement.sql);
  if (changed != nullptr) *changed = sqlite3_changes64(connection_.get());
  sqlite3_reset(prepared.get());
  sqlite3_clear_bindings(prepared.get());
  return ran;
}

std::string with_end(const std::filesystem::path& file, const char* end) { return file.string() + end; }

}  // namespace

Outcome<UniqueFd> claim_sqlite_file(const std::filesystem::path& file, common::milliseconds patience) {
  UniqueFd claimed(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  const std::string name = common::printable(file.string());
  if (!claimed.valid()) return common::last_system_error("cannot open the database of accounts " + name);
  struct stat status {};
  if (fstat(claimed.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Error{ErrorCode::kSystem, "the database of accounts " + name + " is not a file"};
  }
  if ((status.st_mode & 0077U) != 0 && fchmod(claimed.get(), 0600) != 0) {
    return common::last_system_error("cannot take the rights of others from " + name);
  }
  const auto end = common::Clock::now() + patience;
  constexpr common::milliseconds kPause{20};
  while (flock(claimed.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return common::last_system_error("cannot lock " + name);
    if (common::Clock::now() >= end) {
      return Error{ErrorCode::kSystem,
                   "another server uses the database of accounts " + name +
                       ": give each its own server.state_dir, or both the same PostgreSQL database"};
    }
    std::this_thread::sleep_for(kPause);
  }
  return claimed;
}

Outcome<std::unique_ptr<Database>> open_sqlite(const std::filesystem::path& file) {
  sqlite3* made = nullptr;
  const int opened = sqlite3_open_v2(file.c_str(), &made,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  SqliteConnection connection(made);
  const auto refused = [&] {
    return Error{ErrorCode::kSystem, "cannot use the database of accounts " + common::printable(file.string()) + ": " +
                                         common::printable(sqlite3_errmsg(connection.get()))};
  };
  if (opened != SQLITE_OK) return refused();
  sqlite3_busy_timeout(connection.get(), kBusyMilliseconds);
  sqlite3_db_config(connection.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  if (sqlite3_exec(connection.get(), kSetUp, nullptr, nullptr, nullptr) != SQLITE_OK) return refused();
  int keeps_log = 1;  // keep the log when the last connection closes, because a sealed process makes no files
  sqlite3_file_control(connection.get(), "main", SQLITE_FCNTL_PERSIST_WAL, &keeps_log);
  return std::unique_ptr<Database>(std::make_unique<SqliteDatabase>(std::move(connection)));
}

std::vector<std::filesystem::path> files_of_sqlite(const std::filesystem::path& file) {
  return {file, with_end(file, "-wal"), with_end(file, "-shm")};
}

}  // namespace yolod::app::accounts
