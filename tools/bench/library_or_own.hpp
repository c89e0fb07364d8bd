// tools/bench/library_or_own measures the same work, done by this project's own code and by a library.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace yolod::bench {

// `run` does the work once.
struct Way {
  std::string name;
  std::function<void()> run;
  std::string remark{};  // printed behind its figures
};

// Runs the ways in turn, each `calls` times in each round, and prints a line for each. The line has the processor time
// of a call (the median of the rounds), how it compares with the first way, and the allocations of a call.
void compare(const std::string& work, const std::vector<Way>& ways, int calls, int rounds);

void compare_pictures(int rounds);
void compare_archives(int rounds);
void compare_text(int rounds);
void compare_histograms(int rounds);

}  // namespace yolod::bench
