// YOLOD_FUZZ_TARGET(name) { ... } defines the function that tests one input, `data` of `size` bytes. It returns 0, or
// -1 if a fuzzer must not keep the input.
//
// With libFuzzer each target is a program. Otherwise one program has many targets, and replays the kept inputs of one
// of them (replay_main.cpp).
#pragma once

#include <cstddef>
#include <cstdint>

#ifdef YOLOD_FUZZ

#define YOLOD_FUZZ_TARGET(name) extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)

#else

namespace yolod::fuzz {

using Target = int (*)(const std::uint8_t* data, std::size_t size);

// Makes the target known to the program. Returns true.
bool add_target(const char* name, Target target);

}  // namespace yolod::fuzz

#define YOLOD_FUZZ_TARGET(name)                                                                      \
  static int test_##name(const std::uint8_t* data, std::size_t size);                                \
  [[maybe_unused]] static const bool name##_is_known = yolod::fuzz::add_target(#name, &test_##name); \
  static int test_##name(const std::uint8_t* data, std::size_t size)

#endif
