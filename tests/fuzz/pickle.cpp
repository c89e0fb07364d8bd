// Tests pickles, without the zip file around them, and the state dict in them.
#include "model/checkpoint/pickle.hpp"

#include "model/checkpoint/state_dict.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using namespace yolod;

YOLOD_FUZZ_TARGET(pickle) {
  const auto pickle = model::checkpoint::read_pickle(fuzz::as_text(data, size), model::checkpoint::allowed_globals());
  if (!pickle) {
    fuzz::require_one_line(pickle.error(), common::ErrorCode::kBadModel);
    return 0;
  }
  const auto tensors = model::checkpoint::find_state_dict(pickle.value());
  if (!tensors) fuzz::require_one_line(tensors.error(), common::ErrorCode::kBadModel);
  const auto storages = model::checkpoint::storages_of(pickle.value());
  if (!storages) fuzz::require_one_line(storages.error(), common::ErrorCode::kBadModel);
  return 0;
}
