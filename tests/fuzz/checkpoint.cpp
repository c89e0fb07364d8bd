// Tests checkpoint files of both formats: the target reads every tensor, and then the weights of a small network.
#include "model/checkpoint/checkpoint.hpp"

#include "model/checkpoint/network_weights.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "tests/fuzz/small_network.hpp"

using namespace yolod;

YOLOD_FUZZ_TARGET(checkpoint) {
  const auto file = fuzz::as_file(fuzz::as_text(data, size));
  auto opened = model::checkpoint::Checkpoint::open(file);
  if (!opened) {
    fuzz::require_one_line(opened.error(), common::ErrorCode::kBadModel);
    return 0;
  }
  auto& checkpoint = opened.value();
  std::size_t taken = 0;
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    const auto values = checkpoint.values(name, tensor);
    if (!values) fuzz::require_one_line(values.error(), common::ErrorCode::kBadModel);
    if (values) taken += values.value().size();
  }
  fuzz::require(taken <= size);
  const auto weights = model::checkpoint::read_weights(checkpoint, fuzz::small_network());
  if (!weights) fuzz::require_one_line(weights.error(), common::ErrorCode::kBadModel);
  return 0;
}
