// Compares own code with a library's code. tools/bench/library_or_own runs this program.
//
//   library_or_own [ROUNDS] [pictures] [archives] [text] [histograms]
//
// docs/decisions.md says what was decided by its figures.
#include "tools/bench/library_or_own.hpp"

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <utility>

namespace {

std::uint64_t allocation_count = 0;

}  // namespace

// glibc lets a program bring its own malloc. These functions call glibc's and count.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) {
  ++allocation_count;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  ++allocation_count;
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) {
  ++allocation_count;
  return __libc_realloc(old, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  ++allocation_count;
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++allocation_count;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** made, std::size_t alignment, std::size_t bytes) {
  ++allocation_count;
  *made = __libc_memalign(alignment, bytes);
  return *made == nullptr ? 12 : 0;
}
}

namespace yolod::bench {
namespace {

double microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

}  // namespace

void compare(const std::string& work, const std::vector<Way>& ways, int calls, int rounds) {
  std::vector<std::vector<double>> times(ways.size());
  std::vector<std::uint64_t> allocations(ways.size());
  for (int round = 0; round <= rounds; ++round) {
    for (std::size_t i = 0; i < ways.size(); ++i) {
      const auto allocated = allocation_count;
      const auto began = microseconds();
      for (int call = 0; call < calls; ++call) ways[i].run();
      const auto ended = microseconds();
      if (round == 0) continue;  // the first of each is slower
      times[i].push_back((ended - began) / calls);
      allocations[i] = (allocation_count - allocated) / static_cast<std::uint64_t>(calls);
    }
  }
  std::printf("%s\n", work.c_str());
  for (std::size_t i = 0; i < ways.size(); ++i) {
    std::printf("  %-44s %11.3f %7.2f %11llu  %s\n", ways[i].name.c_str(), median(times[i]),
                median(times[i]) / median(times[0]), static_cast<unsigned long long>(allocations[i]),
                ways[i].remark.c_str());
  }
  std::fflush(stdout);
}

}  // namespace yolod::bench

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 21;
  const auto wanted = [&](std::string_view part) {
    return argc <= 2 || std::any_of(argv + 2, argv + argc, [part](const char* word) { return part == word; });
  };
  std::printf("%-46s %11s %7s %11s\n", "", "us a call", "ratio", "allocations");
  if (wanted("pictures")) yolod::bench::compare_pictures(rounds);
  if (wanted("archives")) yolod::bench::compare_archives(rounds);
  if (wanted("text")) yolod::bench::compare_text(rounds);
  if (wanted("histograms")) yolod::bench::compare_histograms(rounds);
  return 0;
}
