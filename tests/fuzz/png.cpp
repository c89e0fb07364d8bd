// Tests the probe and the decoder of PNG files.
#include "tests/fuzz/codec_target.hpp"
#include "tests/fuzz/fuzz_target.hpp"

YOLOD_FUZZ_TARGET(png) { return yolod::fuzz::run_codec(yolod::model::image::codec::Format::kPng, data, size); }
