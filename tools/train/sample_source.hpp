// SampleSource supplies the pictures of training: drawn scenes (scene_source.hpp) or files of a folder
// (picture_source.hpp).
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

  // The loader calls this, in one thread, before its threads choose the pictures of a step. `step` never decreases.
  virtual void begin(std::uint64_t step) = 0;

  // Returns a random picture for this step. Any thread may call it, several at the same time. If a picture cannot be
  // loaded, it throws a std::exception whose what() gives the picture and the reason.
  [[nodiscard]] virtual std::shared_ptr<const LabelledPicture> choose(std::uint64_t step, RandomStream& random) = 0;
};

}  // namespace yolod::train
