// Tests the probe and the decoder of WebP files.
#include "tests/fuzz/codec_target.hpp"
#include "tests/fuzz/fuzz_target.hpp"

YOLOD_FUZZ_TARGET(webp) { return yolod::fuzz::run_codec(yolod::model::image::codec::Format::kWebp, data, size); }
