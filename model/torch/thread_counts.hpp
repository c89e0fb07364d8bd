// How many threads LibTorch computes with, and work for them. No torch header here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace yolod::model {

// LibTorch's threads for the operators that the calling thread runs, which it counts among them; and for those of
// threads that have not computed anything yet: each takes the number that was set last, by whichever thread, when it
// first does. Other threads keep theirs. Operators that run side by side (JIT's fork) have one thread in the process.
// Drops what oneDNN keeps of the calling thread's convolutions: not to be called often.
void set_thread_counts(std::uint32_t threads);

// Of the calling thread's operators.
[[nodiscard]] std::uint32_t thread_count();

// Calls `work` with each number below `count`, on as many of the calling thread's threads; returns when all is done.
// Throws what one of them throws.
void for_each_in_parallel(std::size_t count, const std::function<void(std::size_t)>& work);

// What a network makes ready for the processor is from now on ready for so many threads too, though none is started:
// for processes that will be forked from this one. Once, before the first network.
void prepare_for_threads(std::uint32_t threads);

}  // namespace yolod::model
