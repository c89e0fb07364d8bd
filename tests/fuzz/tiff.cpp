// Tests the probe and the decoder of TIFF files.
#include "tests/fuzz/codec_target.hpp"
#include "tests/fuzz/fuzz_target.hpp"

YOLOD_FUZZ_TARGET(tiff) { return yolod::fuzz::run_codec(yolod::model::image::codec::Format::kTiff, data, size); }
