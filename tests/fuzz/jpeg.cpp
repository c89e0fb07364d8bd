// Tests the probe and the decoder of JPEG files.
#include "tests/fuzz/codec_target.hpp"
#include "tests/fuzz/fuzz_target.hpp"

YOLOD_FUZZ_TARGET(jpeg) { return yolod::fuzz::run_codec(yolod::model::image::codec::Format::kJpeg, data, size); }
