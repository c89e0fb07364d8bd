#include "common/system/huge_pages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace yolod::common {
namespace {

constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20;
constexpr std::uintptr_t kMostPages = kHugePage / 4096;
constexpr std::uintptr_t kLongest = std::uintptr_t{1}
                                    << 40;  // longer ones are address space: a sanitizer's, a driver's
constexpr int kCollapse = 25;               // MADV_COLLAPSE of Linux 6.1, which older headers lack

struct Range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

// The aligned part of each private mapping that has no file behind it and may be written. All are read before the
// first is changed, since collecting them allocates.
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

bool is_all_there(std::uintptr_t begin, std::size_t pages) {
  std::array<unsigned char, kMostPages> resident{};
  if (mincore(reinterpret_cast<void*>(begin), kHugePage, resident.data()) != 0) return false;
  return std::all_of(resident.begin(), resident.begin() + static_cast<std::ptrdiff_t>(pages),
                     [](unsigned char page) { return (page & 1) != 0; });
}

}  // namespace

std::uint64_t gather_in_huge_pages() {
  const auto pages = kHugePage / static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  std::uint64_t gathered = 0;
  for (const Range& range : aligned_anonymous_ranges()) {
    for (auto begin = range.begin; begin < range.end; begin += kHugePage) {
      if (!is_all_there(begin, pages)) continue;
      if (madvise(reinterpret_cast<void*>(begin), kHugePage, kCollapse) == 0) gathered += kHugePage;
    }
  }
  return gathered;
}

}  // namespace yolod::common
