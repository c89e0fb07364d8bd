// Tests Darknet weights files for a small network.
#include "model/darknet/weights.hpp"

#include "tests/fuzz/small_network.hpp"

using namespace yolod;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto weights = model::darknet::read_weights(fuzz::as_file(fuzz::as_text(data, size)), fuzz::small_network());
  if (!weights) fuzz::require_one_line(weights.error(), common::ErrorCode::kBadModel);
  return 0;
}
