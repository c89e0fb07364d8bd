#include "common/system/huge_pages.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

namespace yolod::common {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kPages = 4;

// Holds the memory of four huge pages at a boundary, in a separate mapping. A write to it allocates small pages,
// whatever this machine does for other processes.
class Memory {
 public:
  Memory() : mapped_(mmap(nullptr, (kPages + 2) * kHugePage, PROT_READ | PROT_WRITE, kPrivate, -1, 0)) {
    REQUIRE(mapped_ != MAP_FAILED);
    const auto address = reinterpret_cast<std::uintptr_t>(mapped_);
    begin_ = static_cast<char*>(mapped_) + (kHugePage - address % kHugePage);
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    REQUIRE(mprotect(begin_ + kBytes, page, PROT_NONE) == 0);
    REQUIRE(mprotect(begin_ - page, page, PROT_NONE) == 0);
  }
  ~Memory() { munmap(mapped_, (kPages + 2) * kHugePage); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // Writes all bytes except [hole, hole + 4096).
  void fill(std::size_t hole) {
    REQUIRE(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
    for (std::size_t i = 0; i < kBytes; ++i) {
      if (i < hole || i >= hole + 4096) begin_[i] = seed(i);
    }
    REQUIRE(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0) == 0);
  }
  [[nodiscard]] bool is_as_filled(std::size_t hole) const {
    bool same = true;
    for (std::size_t i = 0; i < kBytes; ++i) same &= begin_[i] == (i < hole || i >= hole + 4096 ? seed(i) : '\0');
    return same;
  }
  [[nodiscard]] char* begin() const { return begin_; }

  // Returns this figure of the mapping in KiB, from smaps.
  [[nodiscard]] std::uint64_t kib(const std::string& figure) const {
    std::ifstream smaps("/proc/self/smaps");
    std::array<char, 32> start{};
    std::snprintf(start.data(), start.size(), "%lx-", reinterpret_cast<unsigned long>(begin_));
    bool ours = false;
    for (std::string line; std::getline(smaps, line);) {
      if (line.starts_with(start.data())) ours = true;
      if (ours && line.starts_with(figure + ":")) return std::stoull(line.substr(figure.size() + 1));
    }
    return 0;
  }

  static constexpr std::size_t kBytes = kPages * kHugePage;

 private:
  static constexpr int kPrivate = MAP_PRIVATE | MAP_ANONYMOUS;
  static char seed(std::size_t i) { return static_cast<char>(i / 4096 * 31 + i % 7); }

  void* mapped_;
  char* begin_;
};

// Tries whether the kernel makes a huge page, in separate memory.
bool kernel_gathers() {
  constexpr int kCollapse = 25;
  Memory memory;
  memory.fill(Memory::kBytes);
  return madvise(memory.begin(), kHugePage, kCollapse) == 0 && memory.kib("AnonHugePages") == kHugePage / 1024;
}

TEST_CASE("HugePages: complete blocks become huge pages, incomplete blocks do not, and no byte changes",
          "[common][unit][skips]") {
  if (!kernel_gathers()) {
    WARN("SKIPPED: this kernel gathers no huge pages of 2 MiB");
    return;
  }
  constexpr std::size_t kHole = 2 * kHugePage + 5 * 4096;
  Memory memory;
  memory.fill(kHole);
  if (GENERATE(false, true)) {  // a fork leaves pages write-protected, which older kernels take for a reason not to
    const pid_t child = fork();
    if (child == 0) _exit(0);
    REQUIRE(waitpid(child, nullptr, 0) == child);
  }
  const auto resident = memory.kib("Rss");
  CHECK(resident == (Memory::kBytes - 4096) / 1024);
  if (!gather_in_huge_pages()) {
    WARN("SKIPPED: this machine has no more memory in huge pages");
    return;
  }
  CHECK(memory.kib("AnonHugePages") == (kPages - 1) * kHugePage / 1024);
  CHECK(memory.kib("Rss") == resident);
  CHECK(memory.is_as_filled(kHole));
}

}  // namespace
}  // namespace yolod::common
