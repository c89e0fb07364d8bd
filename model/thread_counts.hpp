// How many threads LibTorch computes with. No torch header here.
#pragma once

#include <cstdint>

namespace yolod::model {

// For operators that the calling thread runs; how many of them a graph may run at once is one, for the whole process.
void set_thread_counts(std::uint32_t threads);

// What a network makes ready for the processor is from now on ready for so many threads too, though none is started: for
// processes that will be forked from this one. Once, before the first network.
void prepare_for_threads(std::uint32_t threads);

}  // namespace yolod::model
