// Sets the number of LibTorch's threads and gives them work. It includes no torch header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace yolod::model {

// Sets the number of threads for operators on the calling thread, including that thread. A thread that has not
// computed yet takes the number that was set last, by any thread, when it first computes; other threads keep their
// number. Operators that run in parallel (JIT's fork) use one thread in the process. The call discards oneDNN's data
// for the calling thread's convolutions, so call it rarely.
void set_thread_counts(std::uint32_t threads);

// Returns the number of threads for operators on the calling thread.
[[nodiscard]] std::uint32_t thread_count();

// Calls `work` with each number below `count`, on the calling thread's threads, and returns when all calls have
// returned. Throws an exception that a call throws.
void for_each_in_parallel(std::size_t count, const std::function<void(std::size_t)>& work);

// From now on a network also prepares its data for this number of threads, without starting a thread, because this
// process will fork the processes that use them. Call it once, before the first network.
void prepare_for_threads(std::uint32_t threads);

}  // namespace yolod::model
