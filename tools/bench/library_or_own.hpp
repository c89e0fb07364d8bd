// What tools/bench/library_or_own measures: the same work done by this project's own code and by a library's.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace yolod::bench {

// One way to do the work.
struct Way {
  std::string name;
  std::function<void()> run;
  std::string remark{};  // printed behind its figures
};

// Runs the ways in turn, each `calls` times in each round, and prints a line for each: processor time of a call (the
// median of the rounds), how many times the first way's that is, and allocations of a call.
void compare(const std::string& work, const std::vector<Way>& ways, int calls, int rounds);

void compare_pictures(int rounds);
void compare_archives(int rounds);
void compare_text(int rounds);
void compare_histograms(int rounds);

}  // namespace yolod::bench
