// This is the back end for SQLite, over its C API. The database is a file with a write-ahead log beside it. A commit
// is on the disk when it returns.
#pragma once

#include <filesystem>
#include <memory>

#include "app/accounts/database.hpp"
#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::accounts {

// Locks the file for this process (flock) and creates it if necessary, with mode 0600. The lock lasts until the
// descriptor is closed. Waits for `patience` if another process has the lock. Fails with kSystem and a sentence that
// says why.
[[nodiscard]] common::Outcome<common::UniqueFd> claim_sqlite_file(const std::filesystem::path& file,
                                                                  common::milliseconds patience);

// REQUIRES: this process has claimed the file. Fails with kSystem if the file does not open or is no database.
[[nodiscard]] common::Outcome<std::unique_ptr<Database>> open_sqlite(const std::filesystem::path& file);

// Returns the files that a connection opens. All of them exist after the first change.
[[nodiscard]] std::vector<std::filesystem::path> files_of_sqlite(const std::filesystem::path& file);

}  // namespace yolod::app::accounts
