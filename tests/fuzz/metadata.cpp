// Tests the metadata of a TorchScript file.
#include "model/rules/script_metadata.hpp"

#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using namespace yolod;

YOLOD_FUZZ_TARGET(metadata) {
  const auto metadata = model::torchscript::parse_metadata(fuzz::as_text(data, size));
  if (!metadata) fuzz::require_one_line(metadata.error(), common::ErrorCode::kBadModel);
  return 0;
}
