// How good weights are: on scenes of another seed than training's, by the server's own engine, post-processing and
// average precision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
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
  // Asked now and then while work goes on: whether it is to end.
  using StopAsked = std::function<bool()>;

  // Draws `count` scenes, with `threads` threads: a picture in memory each. Nothing where it was to end. Throws what
  // drawing throws.
  [[nodiscard]] static std::optional<Validation> draw(std::uint64_t seed, std::size_t count, std::size_t threads,
                                                      const StopAsked& stop_asked);

  // COCO's figures, with fp32 and Darknet's stretching resize, of what `yolodctl eval` asks for; nothing where it was
  // to end. Sets LibTorch to `threads` threads.
  [[nodiscard]] common::Outcome<std::optional<model::eval::Evaluation>> judge(const model::darknet::Network& network,
                                                                              model::darknet::StoredWeights weights,
                                                                              std::size_t threads,
                                                                              const StopAsked& stop_asked) const;

 private:
  Validation() = default;

  std::vector<scenes::Scene> scenes_;
};

}  // namespace yolod::train
