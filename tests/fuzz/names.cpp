// Tests lists of labels and .data files.
#include "model/sources/labels.hpp"

#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using namespace yolod;

YOLOD_FUZZ_TARGET(names) {
  const auto labels = model::darknet::read_names(fuzz::as_file(fuzz::as_text(data, size)), 2);
  if (!labels) fuzz::require_one_line(labels.error(), common::ErrorCode::kBadModel);
  if (labels) fuzz::require(labels.value().size() == 2);
  return 0;
}
