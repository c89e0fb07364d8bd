// Tests the probe and the decoder of BMP files.
#include "tests/fuzz/codec_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return yolod::fuzz::run_codec(yolod::model::image::codec::Format::kBmp, data, size);
}
