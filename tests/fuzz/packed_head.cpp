// Tests the JSON at the beginning of a compressed request. The first byte says how much each step may read, and its
// highest bit says whether the length of the JSON is known. Three bytes give that length. The rest is the
// request.
#include "app/api/oip/packed_head.hpp"

#include <zlib.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>

#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using namespace yolod;
using app::api::oip::PackedHead;

namespace {

constexpr std::size_t kHeaderBytes = 4;

// The text of the head, or nothing if it is refused.
std::optional<std::string> read(std::span<const std::byte> packed, std::optional<std::uint64_t> json_bytes,
                                std::size_t budget) {
  PackedHead head(packed, json_bytes);
  // Each step takes a byte of the request or gives one of the text.
  const std::size_t most_steps = packed.size() + PackedHead::kMostBytes + 2;
  for (std::size_t steps = 0;; ++steps) {
    fuzz::require(steps <= most_steps);
    const auto done = head.step(budget);
    if (!done) {
      fuzz::require_one_line(done.error(), common::ErrorCode::kBadRequest);
      return std::nullopt;
    }
    if (*done) return std::string(head.text());
  }
}

// Decompresses the request at once with zlib. Returns at most `most` bytes of the result.
std::string inflated(std::span<const std::byte> packed, std::size_t most) {
  z_stream stream{};
  constexpr int kAnyFormat = 15 + 32;
  fuzz::require(inflateInit2(&stream, kAnyFormat) == Z_OK);
  std::string text(most, '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  (void)inflate(&stream, Z_SYNC_FLUSH);
  text.resize(text.size() - stream.avail_out);
  inflateEnd(&stream);
  return text;
}

}  // namespace

YOLOD_FUZZ_TARGET(packed_head) {
  if (size < kHeaderBytes) return 0;
  constexpr unsigned kKnowsLength = 0x80;
  std::optional<std::uint64_t> json_bytes;
  if ((data[0] & kKnowsLength) != 0) json_bytes = data[1] | data[2] << 8U | data[3] << 16U;
  const std::size_t budget = 1 + (data[0] & ~kKnowsLength);
  const auto packed = std::as_bytes(std::span(data, size)).subspan(kHeaderBytes);

  const auto text = read(packed, json_bytes, PackedHead::kMostBytes);
  if (text) {
    fuzz::require(text->size() <= PackedHead::kMostBytes && (!json_bytes || text->size() == *json_bytes));
    fuzz::require(*text == inflated(packed, text->size()));
  }
  // The size of a step changes nothing.
  fuzz::require(read(packed, json_bytes, budget) == text);
  return 0;
}
