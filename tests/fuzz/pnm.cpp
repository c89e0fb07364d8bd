// Tests the probe and the decoder of PNM files.
#include "tests/fuzz/codec_target.hpp"
#include "tests/fuzz/fuzz_target.hpp"

YOLOD_FUZZ_TARGET(pnm) { return yolod::fuzz::run_codec(yolod::model::image::codec::Format::kPnm, data, size); }
