#include "app/accounts/sqlite_database.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "app/accounts/migrations.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::app::accounts {
namespace {

using common::milliseconds;

unsigned mode_of(const std::filesystem::path& file) {
  struct stat status {};
  REQUIRE(stat(file.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

}  // namespace

TEST_CASE("SQLite: the files are their owner's alone", "[accounts][unit]") {
  const tests::TemporaryDirectory directory;
  const auto file = directory.write("accounts.db", "");
  REQUIRE(chmod(file.c_str(), 0644) == 0);
  const auto claimed = claim_sqlite_file(file, milliseconds(0));
  REQUIRE(claimed.ok());
  const auto database = open_sqlite(file);
  REQUIRE(database.ok());
  REQUIRE(migrate(**database).ok());
  CHECK(directory.names() == std::vector<std::string>{"accounts.db", "accounts.db-shm", "accounts.db-wal"});
  for (const auto& each : files_of_sqlite(file)) CHECK(mode_of(each) == 0600U);
}

TEST_CASE("SQLite: the write-ahead log stays when the last connection goes", "[accounts][unit]") {
  const tests::TemporaryDirectory directory;
  const auto file = directory.path() / "accounts.db";
  const auto claimed = claim_sqlite_file(file, milliseconds(0));
  REQUIRE(claimed.ok());
  {
    const auto database = open_sqlite(file);
    REQUIRE(database.ok());
    REQUIRE(migrate(**database).ok());
  }
  for (const auto& each : files_of_sqlite(file)) CHECK(std::filesystem::exists(each));
}

TEST_CASE("SQLite: a second server does not get the file of the first", "[accounts][unit]") {
  const tests::TemporaryDirectory directory;
  const auto file = directory.path() / "accounts.db";
  {
    const auto first = claim_sqlite_file(file, milliseconds(0));
    REQUIRE(first.ok());
    const auto second = claim_sqlite_file(file, milliseconds(0));
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().message.find("another server uses the database of accounts") == 0);
  }
  CHECK(claim_sqlite_file(file, milliseconds(0)).ok());
}

TEST_CASE("SQLite: what cannot be a database is refused in one sentence", "[accounts][unit]") {
  const tests::TemporaryDirectory directory;
  const auto garbage = directory.write("garbage.db", std::string(5000, 'x'));
  REQUIRE(claim_sqlite_file(garbage, milliseconds(0)).ok());
  const auto opened = open_sqlite(garbage);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().message.find("garbage.db: file is not a database") != std::string::npos);
  const auto missing = claim_sqlite_file(directory.path() / "none" / "accounts.db", milliseconds(0));
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().message.find("No such file or directory") != std::string::npos);
  std::filesystem::create_symlink(garbage, directory.path() / "link.db");
  CHECK_FALSE(claim_sqlite_file(directory.path() / "link.db", milliseconds(0)).ok());
  CHECK_FALSE(claim_sqlite_file(directory.path(), milliseconds(0)).ok());
}

}  // namespace yolod::app::accounts
