#include "common/system/huge_pages.hpp"

#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <string>

namespace yolod::common {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Four huge pages' worth of memory at a boundary, of a mapping of its own.
class Memory {
 public:
  Memory() : mapped_(mmap(nullptr, 6 * kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    REQUIRE(mapped_ != MAP_FAILED);
    const auto address = reinterpret_cast<std::uintptr_t>(mapped_);
    begin_ = static_cast<char*>(mapped_) + (kHugePage - address % kHugePage);
    REQUIRE(mprotect(begin_ + kBytes, 4096, PROT_NONE) == 0);
    REQUIRE(mprotect(begin_ - 4096, 4096, PROT_NONE) == 0);
  }
  ~Memory() { munmap(mapped_, 6 * kHugePage); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  [[nodiscard]] char* begin() const { return begin_; }

  // That figure of the mapping in KiB, from smaps.
  [[nodiscard]] std::uint64_t kib(const std::string& figure) const {
    std::ifstream smaps("/proc/self/smaps");
    char start[32];
    std::snprintf(start, sizeof(start), "%lx-", reinterpret_cast<unsigned long>(begin_));
    bool ours = false;
    for (std::string line; std::getline(smaps, line);) {
      if (line.starts_with(start)) ours = true;
      if (ours && line.starts_with(figure + ":")) return std::stoull(line.substr(figure.size() + 1));
    }
    return 0;
  }

  static constexpr std::size_t kBytes = 4 * kHugePage;

 private:
  void* mapped_;
  char* begin_;
};

TEST_CASE("HugePages: what is all there is gathered, what lacks a page stays, and no byte changes", "[common][unit]") {
  const auto seed = [](std::size_t i) { return static_cast<char>(i / 4096 * 31 + i % 7); };
  Memory memory;
  const std::size_t hole = 2 * kHugePage + 5 * 4096;
  for (std::size_t i = 0; i < Memory::kBytes; ++i) {
    if (i < hole || i >= hole + 4096) memory.begin()[i] = seed(i);
  }
  if (memory.kib("AnonHugePages") != 0) {
    WARN("SKIPPED: this kernel does it for every process");
    return;
  }
  const auto resident = memory.kib("Rss");
  CHECK(resident == (Memory::kBytes - 4096) / 1024);
  if (gather_in_huge_pages() == 0) {
    WARN("SKIPPED: this kernel gathers no huge pages");
    return;
  }
  CHECK(memory.kib("AnonHugePages") == 3 * kHugePage / 1024);
  CHECK(memory.kib("Rss") == resident);
  bool same = true;
  for (std::size_t i = 0; i < Memory::kBytes; ++i) {
    same &= memory.begin()[i] == (i < hole || i >= hole + 4096 ? seed(i) : '\0');
  }
  CHECK(same);
}

}  // namespace
}  // namespace yolod::common
