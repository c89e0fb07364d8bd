// Tests the metadata of a TorchScript file.
#include "model/rules/script_metadata.hpp"

#include "tests/fuzz/fuzz_input.hpp"

using namespace yolod;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto metadata = model::torchscript::parse_metadata(fuzz::as_text(data, size));
  if (!metadata) fuzz::require_one_line(metadata.error(), common::ErrorCode::kBadModel);
  return 0;
}
