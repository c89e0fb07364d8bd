// Where training takes its pictures from: drawn scenes (scene_source.hpp) or a folder (picture_source.hpp).
#pragma once

#include <cstdint>
#include <memory>

#include "tools/train/labelled_picture.hpp"
#include "tools/train/random_stream.hpp"

namespace yolod::train {

class SampleSource {
 public:
  SampleSource() = default;
  SampleSource(const SampleSource&) = delete;
  SampleSource& operator=(const SampleSource&) = delete;
  virtual ~SampleSource() = default;

  // Called by one thread before the pictures of a step are chosen. Steps only grow.
  virtual void begin(std::uint64_t step) = 0;

  // A picture for this step, chosen at random. Any thread, several at a time. Throws a std::exception whose what()
  // names the picture that cannot be had, and why.
  [[nodiscard]] virtual std::shared_ptr<const LabelledPicture> choose(std::uint64_t step, RandomStream& random) = 0;
};

}  // namespace yolod::train
