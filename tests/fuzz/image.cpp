// Tests image files: yolod's header check, and then the decoder for as many pixels as a small limit allows.
#include <span>

#include "model/image/codec/codecs.hpp"
#include "model/image/codec/decode.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using namespace yolod;

YOLOD_FUZZ_TARGET(image) {
  constexpr std::uint64_t kMaxPixels = 100'000;
  const auto file = std::as_bytes(std::span(data, size));
  const auto found = model::image::codec::probe(file, kMaxPixels);
  const auto picture = model::image::decode(file, {.max_pixels = kMaxPixels});
  if (!found) {
    fuzz::require(!picture.ok());
    fuzz::require_one_line(found.error(), found.error().code);
  } else if (picture) {
    const auto view = picture.value().view();
    fuzz::require(static_cast<std::uint64_t>(view.width) * static_cast<std::uint64_t>(view.height) ==
                  found.value().width * found.value().height);
  } else if (picture.error().code != common::ErrorCode::kImageTooComplex) {
    fuzz::require_one_line(picture.error(), common::ErrorCode::kInvalidImage);
  }
  return 0;
}
