// Tests the probe and the decoder of BMP files.
#include "tests/fuzz/codec_target.hpp"
#include "tests/fuzz/fuzz_target.hpp"

YOLOD_FUZZ_TARGET(bmp) { return yolod::fuzz::run_codec(yolod::model::image::codec::Format::kBmp, data, size); }
