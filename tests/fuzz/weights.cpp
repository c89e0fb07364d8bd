// Tests Darknet weights files for a small network.
#include "model/darknet/weights.hpp"

#include "tests/fuzz/fuzz_target.hpp"
#include "tests/fuzz/small_network.hpp"

using namespace yolod;

YOLOD_FUZZ_TARGET(weights) {
  const auto weights = model::darknet::read_weights(fuzz::as_file(fuzz::as_text(data, size)), fuzz::small_network());
  if (!weights) fuzz::require_one_line(weights.error(), common::ErrorCode::kBadModel);
  return 0;
}
