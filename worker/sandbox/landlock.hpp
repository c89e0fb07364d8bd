// Landlock: which files a thread and its children may still open. By raw system calls, since the C library has none.
// A restriction cannot be taken back; several add up.
//
// It binds the calling thread and what that thread makes afterwards, not threads that exist already.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "common/outcome.hpp"

namespace yolod::worker {

// What a process may do below a folder, or with a file.
enum class FileUse { kRead, kReadAndWrite, kChange };

struct FileRule {
  std::filesystem::path path;  // a file or a folder; one that does not exist gives no right and is no error
  FileUse use{FileUse::kRead};
};

// What a ruleset of that version can deny; each later version knows more (LANDLOCK_ACCESS_FS_*, _NET_*,
// LANDLOCK_SCOPE_*).
struct LandlockRights {
  std::uint64_t files{0};
  std::uint64_t network{0};  // TCP only
  std::uint64_t scopes{0};   // abstract Unix sockets and signals
  friend bool operator==(const LandlockRights&, const LandlockRights&) = default;
};
[[nodiscard]] LandlockRights landlock_rights(std::uint32_t abi);

// The kernel's version, at least 1. An Error says why there is none.
[[nodiscard]] common::Outcome<std::uint32_t> landlock_abi();

// From here on the calling thread opens nothing but `rules` allow, connects and listens by no TCP, and sends signals to
// its own children in this restriction alone, as far as the kernel's version knows of these. Returns that version.
// REQUIRES: no_new_privs.
[[nodiscard]] common::Outcome<std::uint32_t> restrict_by_landlock(std::span<const FileRule> rules);

}  // namespace yolod::worker
