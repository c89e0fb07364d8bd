#include "model/files/npy.hpp"

#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using namespace yolod;

YOLOD_FUZZ_TARGET(npy) {
  const auto array = model::parse_npy(fuzz::as_text(data, size));
  if (!array) fuzz::require_one_line(array.error(), common::ErrorCode::kInvalidParameter);
  if (array) fuzz::require(array.value().values.size() * sizeof(float) <= size);
  return 0;
}
