// Landlock restricts which files a thread and its children may open from now on. This code makes the system calls
// directly, since the C library has no functions for them. A restriction cannot be removed, and several restrictions
// accumulate.
//
// A restriction applies to the calling thread and to the threads and processes that it creates later, not to existing
// threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "common/outcome.hpp"

namespace yolod::common {

// The access that a process gets to a file, or to everything below a folder.
enum class FileUse { kRead, kReadAndWrite, kChange };

struct FileRule {
  std::filesystem::path path;  // a file or a folder; a path that does not exist gives no right and is no error
  FileUse use{FileUse::kRead};
};

// The rights that Landlock of a version can deny; each later version adds some (LANDLOCK_ACCESS_FS_*, _NET_*,
// LANDLOCK_SCOPE_*).
struct LandlockRights {
  std::uint64_t files{0};
  std::uint64_t network{0};  // TCP only
  std::uint64_t scopes{0};   // abstract Unix sockets and signals
  friend bool operator==(const LandlockRights&, const LandlockRights&) = default;
};
[[nodiscard]] LandlockRights landlock_rights(std::uint32_t abi);

// Returns the version of the kernel's Landlock, at least 1. An Error says why there is none.
[[nodiscard]] Outcome<std::uint32_t> landlock_abi();

// After this call the calling thread opens only the files that `rules` allow and connects by TCP only to
// `connect_ports`. It accepts no TCP connection and sends signals only to processes inside this restriction. Each
// part depends on the kernel's version. Returns that version. REQUIRES: no_new_privs.
[[nodiscard]] Outcome<std::uint32_t> restrict_by_landlock(std::span<const FileRule> rules,
                                                          std::span<const std::uint16_t> connect_ports = {});

}  // namespace yolod::common
