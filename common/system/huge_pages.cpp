#include "common/system/huge_pages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace yolod::common {
namespace {

constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20;
constexpr std::size_t kPages = kHugePage / 4096;
// A longer mapping is address space that a sanitizer or a driver has reserved.
constexpr std::uintptr_t kLongest = std::uintptr_t{1} << 40;
// The range of one call, because the call begins with work on every core and cannot be interrupted.
constexpr std::uintptr_t kMostAtOnce = std::uintptr_t{64} << 20;
constexpr int kCollapse = 25;  // MADV_COLLAPSE of Linux 6.1, which older headers lack

struct Range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

bool has_pages_of_that_size() {
  std::uintptr_t bytes = 0;
  std::ifstream("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size") >> bytes;
  return bytes == kHugePage && sysconf(_SC_PAGESIZE) * static_cast<long>(kPages) == static_cast<long>(kHugePage);
}

// Returns the aligned part of each writable private mapping without a file. It reads all mappings before the first is
// changed, because collecting them allocates memory.
std::vector<Range> aligned_anonymous_ranges() {
  std::vector<Range> ranges;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    unsigned long inode = 0;
    std::array<char, 5> access{};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s %*x %*s %lu", &begin, &end, access.data(), &inode) != 4) continue;
    if (std::string_view(access.data()) != "rw-p" || inode != 0 || line.find("[stack]") != std::string::npos) continue;
    const Range range{(begin + kHugePage - 1) / kHugePage * kHugePage, end / kHugePage * kHugePage};
    if (range.begin < range.end && range.end - range.begin < kLongest) ranges.push_back(range);
  }
  return ranges;
}

bool is_all_there(std::uintptr_t begin) {
  std::array<unsigned char, kPages> resident{};
  if (mincore(reinterpret_cast<void*>(begin), kHugePage, resident.data()) != 0) return false;
  return std::all_of(resident.begin(), resident.end(), [](unsigned char page) { return (page & 1) != 0; });
}

// After a fork all pages are write-protected, and kernels before 6.18 do not gather a range of 2 MiB whose pages all
// are. This writes one byte with its own value. That is safe while other threads use the byte, and whether or not
// malloc has given it out.
[[gnu::no_sanitize_address, gnu::noinline]] void make_writable(std::uintptr_t begin) {
  __atomic_fetch_or(reinterpret_cast<unsigned char*>(begin), static_cast<unsigned char>(0), __ATOMIC_RELAXED);
}

// Returns false if there is no memory for more.
bool gather(const Range& full) {
  for (auto begin = full.begin; begin < full.end; begin += kHugePage) make_writable(begin);
  if (madvise(reinterpret_cast<void*>(full.begin), full.end - full.begin, kCollapse) == 0) return true;
  return errno != ENOMEM && errno != EBUSY;
}

}  // namespace

bool gather_in_huge_pages() {
  if (!has_pages_of_that_size()) return true;
  for (const Range& range : aligned_anonymous_ranges()) {
    for (auto at = range.begin; at < range.end;) {
      if (!is_all_there(at)) {
        at += kHugePage;
        continue;
      }
      Range full{at, at + kHugePage};
      while (full.end < range.end && full.end - full.begin < kMostAtOnce && is_all_there(full.end)) {
        full.end += kHugePage;
      }
      if (!gather(full)) return false;
      at = full.end;
    }
  }
  return true;
}

}  // namespace yolod::common
