// SQLite, by its C API: one file, with its write-ahead log beside it. Every commit is on the disk when it returns.
#pragma once

#include <filesystem>
#include <memory>

#include "app/accounts/database.hpp"
#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::accounts {

// A file of a server that nobody else may open: the descriptor holds the lock (flock) and is to live as long as the
// process. Makes the file, readable for its owner alone (0600), where there is none. Waits for `patience` for a server
// that is about to end. kSystem: one sentence says why it cannot be had.
[[nodiscard]] common::Outcome<common::UniqueFd> claim_sqlite_file(const std::filesystem::path& file,
                                                                  common::milliseconds patience);

// REQUIRES: the file is claimed. kSystem where it cannot be opened, or is no database.
[[nodiscard]] common::Outcome<std::unique_ptr<Database>> open_sqlite(const std::filesystem::path& file);

// The files that a connection opens, which are all there once a change was made.
[[nodiscard]] std::vector<std::filesystem::path> files_of_sqlite(const std::filesystem::path& file);

}  // namespace yolod::app::accounts
