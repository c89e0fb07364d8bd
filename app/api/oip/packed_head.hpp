// Decompresses the JSON at the beginning of a compressed request, so that the front-end can find out which pictures the
// request has. A worker decompresses the rest. The JSON is bounded, and so is the work of one step.
//
// The handler owns it and uses it on the front-end's only thread.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/outcome.hpp"

namespace yolod::app::api::oip {

class PackedHead {
 public:
  // A longer JSON is refused.
  static constexpr std::size_t kMostBytes = 64 * 1024;

  // `packed` is a gzip member or a zlib stream, and outlives this object. Its first `json_bytes` are the JSON, or all
  // of its bytes.
  PackedHead(std::span<const std::byte> packed, std::optional<std::uint64_t> json_bytes);
  PackedHead(const PackedHead&) = delete;
  PackedHead& operator=(const PackedHead&) = delete;
  ~PackedHead();

  // Reads at most `budget_bytes` more of the content, and returns true when the JSON is complete. An Error has code
  // kBadRequest.
  [[nodiscard]] common::Outcome<bool> step(std::size_t budget_bytes);
  // REQUIRES: step() has returned true. The text stays where it is.
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::span<const std::byte> left_;
  const std::optional<std::uint64_t> json_bytes_;
  std::string text_;
  z_stream stream_{};
  bool usable_{false};
};

}  // namespace yolod::app::api::oip
