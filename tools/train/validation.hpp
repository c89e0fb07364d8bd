// How good weights are: on scenes of another seed than training's, by the server's own engine, post-processing and
// average precision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/outcome.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"
#include "model/eval/average_precision.hpp"
#include "tools/scenes/scene.hpp"

namespace yolod::train {

// One thread.
class Validation {
 public:
  // Draws `count` scenes, with `threads` threads: a picture in memory each. Throws what drawing throws.
  Validation(std::uint64_t seed, std::size_t count, std::size_t threads);

  // COCO's figures, with fp32 and Darknet's stretching resize. Sets LibTorch to `threads` threads.
  [[nodiscard]] common::Outcome<model::eval::Evaluation> judge(const model::darknet::Network& network,
                                                               model::darknet::StoredWeights weights,
                                                               std::size_t threads) const;

 private:
  std::vector<scenes::Scene> scenes_;
};

}  // namespace yolod::train
