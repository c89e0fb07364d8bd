// Tests the reading of large JPEGs by their lowest coefficients: every way to read the scan must give the same
// result.
#include <algorithm>
#include <span>

#include "model/image/coarse_jpeg/coarse_picture.hpp"
#include "model/image/coarse_jpeg/lanes.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using namespace yolod;
using namespace yolod::model::image;

namespace {

bool same_rows(const coarse::CoarsePicture& one, const coarse::CoarsePicture& other) {
  for (std::size_t c = 0; c < coarse::kColours; ++c) {
    const int width = (one.width + (c == 0 ? 0 : one.across - 1)) / (c == 0 ? 1 : one.across);
    const int height = (one.height + (c == 0 ? 0 : one.down - 1)) / (c == 0 ? 1 : one.down);
    for (int y = 0; y < height; ++y) {
      if (!std::equal(one.planes[c].row(y), one.planes[c].row(y) + width, other.planes[c].row(y))) return false;
    }
  }
  return one.width == other.width && one.height == other.height;
}

}  // namespace

YOLOD_FUZZ_TARGET(coarse_jpeg) {
  const std::span file(data, size);
  for (const int reduction : {4, 8}) {
    const auto one_by_one = coarse::read_coarse_picture(file, reduction, coarse::Reading::kOneByOne);
    if (!coarse::have_lanes()) continue;
    const auto in_parts = coarse::read_coarse_picture(file, reduction, coarse::Reading::kInManyParts);
    fuzz::require(one_by_one.has_value() == in_parts.has_value());
    fuzz::require(!one_by_one || same_rows(*one_by_one, *in_parts));
  }
  return 0;
}
