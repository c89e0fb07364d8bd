// What everything that runs on LibTorch has in common. Includes torch headers: for the few sources that do so anyway.
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>

#include "common/config.hpp"

namespace yolod::model {

[[nodiscard]] at::ScalarType scalar_type(common::Precision precision);

// The first line of a what() with something in it: LibTorch appends a stack trace. Safe to print.
[[nodiscard]] std::string first_line(const char* what);

// LibTorch's threads for the operators that the calling thread runs, which it counts among them; and for those of
// threads that have not computed anything yet: each takes the number that was set last, by whichever thread, when it
// first does. Other threads keep theirs. Operators that run side by side (JIT's fork) have one thread in the process.
// Drops what oneDNN keeps of the calling thread's convolutions: not to be called often.
void set_thread_counts(std::uint32_t threads);

}  // namespace yolod::model
