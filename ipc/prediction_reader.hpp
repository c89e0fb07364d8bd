// Reads a prediction out of a result slot in pieces, so that a result of many megabytes does not hold up the event
// loop. The bytes of tensors and files are copied once, from the lane to their place. Everything else is copied before
// it is checked, because a compromised worker may change its lane at any time.
//
// The dispatcher owns it and uses it on the front-end's only thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/domain/prediction.hpp"
#include "ipc/lane.hpp"

namespace yolod::ipc {

class PredictionReader {
 public:
  enum class State { kMore, kDone, kCorrupt };

  // The worker says that the slot holds a prediction of so many bytes.
  PredictionReader(std::uint32_t slot, std::uint64_t bytes) : slot_(slot), bytes_(bytes) {}

  // Copies about `budget_bytes` and subtracts the size of the copies. Returns kMore if more is left, and kCorrupt if no
  // correct worker could have written the bytes. Call it until it returns another value than kMore, with the same lane.
  [[nodiscard]] State step(LaneOwner& lane, std::size_t& budget_bytes);
  // REQUIRES: step() has returned kDone.
  [[nodiscard]] common::Prediction take() { return std::move(prediction_); }

 private:
  [[nodiscard]] State begin(LaneOwner& lane, std::size_t& budget_bytes);
  [[nodiscard]] State read_whole(LaneOwner& lane, std::size_t& budget_bytes);
  // Reads the head of the next tensor. Returns false if it is corrupt.
  [[nodiscard]] bool begin_tensor(LaneOwner& lane, std::size_t& budget_bytes);

  const std::uint32_t slot_;
  const std::uint64_t bytes_;
  common::Prediction prediction_;
  std::uint64_t at_{0};                    // the first byte that has not been read
  std::vector<std::byte>* part_{nullptr};  // the bytes of the file, or of the last tensor
  std::uint64_t part_left_{0};             // how many bytes it lacks
  std::uint32_t tensors_left_{0};
};

}  // namespace yolod::ipc
