#include "common/system/resident_memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace yolod::common {
namespace {

// Parses a line "Name:   123 kB", as in several files of /proc.
std::optional<std::uint64_t> bytes_of(const std::string& file, std::string_view name) {
  std::ifstream in(file);
  std::string word;
  while (in >> word) {
    std::uint64_t kib = 0;
    if (word == name && in >> kib) return kib * 1024;
  }
  return std::nullopt;
}

std::string proc(pid_t pid) { return "/proc/" + std::to_string(pid) + "/"; }

}  // namespace

std::uint64_t resident_bytes(pid_t pid) {
  if (pid <= 0) return 0;
  std::ifstream in("/proc/" + std::to_string(pid) + "/statm");
  std::uint64_t size_pages = 0;
  std::uint64_t resident_pages = 0;
  if (!(in >> size_pages >> resident_pages)) return 0;
  return resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t own_bytes(pid_t pid) {
  if (pid <= 0) return 0;
  return bytes_of(proc(pid) + "status", "RssAnon:").value_or(0);
}

std::uint64_t given_back_bytes(pid_t pid) {
  if (pid <= 0) return 0;
  const auto most = bytes_of(proc(pid) + "status", "VmHWM:").value_or(0);
  return most - std::min(most, resident_bytes(pid));
}

}  // namespace yolod::common
