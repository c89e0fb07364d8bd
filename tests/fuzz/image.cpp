// Image files: our header check, then the decoder behind it, for as many pixels as a small limit allows.
#include <span>

#include "model/image/decode.hpp"
#include "model/image/header.hpp"
#include "tests/fuzz/fuzz_input.hpp"

using namespace yolod;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kMaxPixels = 100'000;
  model::image::prepare_decoder();
  const auto file = std::as_bytes(std::span(data, size));
  const auto header = model::image::read_header(file, kMaxPixels);
  const auto picture = model::image::decode(file, kMaxPixels);
  if (!header) {
    fuzz::require(!picture.ok());
    fuzz::require_one_line(header.error(), header.error().code);
  } else if (picture) {
    const auto view = picture.value().view();
    fuzz::require(static_cast<std::uint64_t>(view.width) * static_cast<std::uint64_t>(view.height) ==
                  header.value().width * header.value().height);
  } else {
    fuzz::require_one_line(picture.error(), common::ErrorCode::kInvalidImage);
  }
  return 0;
}
