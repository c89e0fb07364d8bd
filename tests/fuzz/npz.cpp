// Tests archives of tensors, as a request's body contains them.
#include "model/files/npz.hpp"

#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using namespace yolod;

YOLOD_FUZZ_TARGET(npz) {
  const auto text = fuzz::as_text(data, size);
  (void)model::is_npz(text);
  const auto tensors = model::parse_npz(text);
  if (!tensors) {
    fuzz::require_one_line(tensors.error(), common::ErrorCode::kInvalidParameter);
    return 0;
  }
  std::size_t bytes = 0;
  for (const auto& tensor : *tensors) bytes += tensor.array.bytes.size();
  fuzz::require(bytes <= size);
  // Writing the tensors and reading them again must give the same tensors.
  const auto again = model::parse_npz(model::to_npz(*tensors));
  fuzz::require(again.ok() && again->size() == tensors->size());
  return 0;
}
