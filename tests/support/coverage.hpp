// A build that measures coverage writes its counters when a process calls exit(). A child that ends with _exit()
// must write them before.
#pragma once

#ifdef YOLOD_COVERAGE
extern "C" void __gcov_dump();
#endif

namespace yolod::tests {

// Call it once, last.
inline void write_coverage() {
#ifdef YOLOD_COVERAGE
  __gcov_dump();
#endif
}

}  // namespace yolod::tests
