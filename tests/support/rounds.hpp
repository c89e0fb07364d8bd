// How often a test repeats something with random input.
#pragma once

#include "common/sanitizers.hpp"

namespace yolod::tests {

// Returns `count`, and a quarter of it in a build with a sanitizer, where a round takes up to twenty times as long.
// (The fuzzers of tests/fuzz try the same parts with more inputs.)
[[nodiscard]] constexpr int rounds(int count) { return common::kSanitized ? count / 4 : count; }

}  // namespace yolod::tests
