// How many threads LibTorch computes with. No torch header here.
#pragma once

#include <cstdint>

namespace yolod::model {

// For operators that the calling thread runs; how many of them a graph may run at once is one, for the whole process.
void set_thread_counts(std::uint32_t threads);

}  // namespace yolod::model
