// The common part of the fuzz targets: the input as text and as a file, and the checks of every error.
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

// Returns a regular file of those bytes, in memory. The next call of the same thread overwrites it.
[[nodiscard]] std::filesystem::path as_file(std::string_view bytes);

// Aborts if a promise is broken, so that the fuzzer keeps the input.
inline void require(bool holds) {
  if (!holds) std::abort();
}

// Every error must have one line, and a kind that the caller expects.
inline void require_one_line(const common::Error& error, common::ErrorCode code) {
  require(error.code == code && !error.message.empty() && error.message.find('\n') == std::string::npos);
}

}  // namespace yolod::fuzz
