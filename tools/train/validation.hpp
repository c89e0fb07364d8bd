// Validation measures weights on pictures that training never shows. It uses the server's own engine, its
// post-processing and its average precision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "common/outcome.hpp"
#include "model/darknet/network.hpp"
#include "model/darknet/weights.hpp"
#include "model/eval/average_precision.hpp"
#include "tools/train/labelled_picture.hpp"
#include "tools/train/picture_source.hpp"

namespace yolod::train {

// Only one thread may use a validation.
class Validation {
 public:
  // Returns whether the work must end early. The functions call it at intervals.
  using StopAsked = std::function<bool()>;

  // Draws `count` scenes in `threads` threads and keeps them in memory. Returns nothing if `stop_asked` returned
  // true. Throws the exceptions of drawing.
  [[nodiscard]] static std::optional<Validation> draw(std::uint64_t seed, std::size_t count, std::size_t threads,
                                                      const StopAsked& stop_asked);

  // Uses these files, and decodes them at each judge().
  [[nodiscard]] static Validation of(std::vector<PictureFile> files);

  [[nodiscard]] std::size_t size() const { return files_.empty() ? pictures_.size() : files_.size(); }
  [[nodiscard]] const std::vector<PictureFile>& files() const { return files_; }

  // Returns COCO's scores in fp32, with the settings of `yolodctl eval`. The cfg's letter_box decides how a picture
  // fits into the input. Returns nothing if `stop_asked` returned true, and an Error if a picture cannot be decoded.
  // Sets LibTorch to `threads` threads.
  [[nodiscard]] common::Outcome<std::optional<model::eval::Evaluation>> judge(const model::darknet::Network& network,
                                                                              model::darknet::StoredWeights weights,
                                                                              std::size_t threads,
                                                                              const StopAsked& stop_asked) const;

 private:
  Validation() = default;
  [[nodiscard]] common::Outcome<std::shared_ptr<const LabelledPicture>> picture(std::size_t index,
                                                                                model::image::Size input) const;

  // Only one of the two lists has elements.
  std::vector<std::shared_ptr<const LabelledPicture>> pictures_;
  std::vector<PictureFile> files_;
};

}  // namespace yolod::train
