// What the fuzz targets have in common: their input as text and as a file, and what must hold of every error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "common/error.hpp"

namespace yolod::fuzz {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// A regular file of those bytes, in memory; the next call of the same thread overwrites it.
[[nodiscard]] std::filesystem::path as_file(std::string_view bytes);

// Stops here, for the fuzzer to keep the input, if a promise is broken.
inline void require(bool holds) {
  if (!holds) std::abort();
}

// Every error is one line, of a kind that the caller expects.
inline void require_one_line(const common::Error& error, common::ErrorCode code) {
  require(error.code == code && !error.message.empty() && error.message.find('\n') == std::string::npos);
}

}  // namespace yolod::fuzz
