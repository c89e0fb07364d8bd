// How good weights are: on pictures that training never sees, by the server's own engine, post-processing and average
// precision.
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

// One thread.
class Validation {
 public:
  // Asked now and then while work goes on: whether it is to end.
  using StopAsked = std::function<bool()>;

  // Draws `count` scenes, with `threads` threads: a picture in memory each. Nothing where it was to end. Throws what
  // drawing throws.
  [[nodiscard]] static std::optional<Validation> draw(std::uint64_t seed, std::size_t count, std::size_t threads,
                                                      const StopAsked& stop_asked);

  // These files, which are decoded at each judgement.
  [[nodiscard]] static Validation of(std::vector<PictureFile> files);

  [[nodiscard]] std::size_t size() const { return files_.empty() ? pictures_.size() : files_.size(); }
  [[nodiscard]] const std::vector<PictureFile>& files() const { return files_; }

  // COCO's figures, in fp32, of pictures in the input as the cfg's letter_box says, of what `yolodctl eval` asks for;
  // nothing where it was to end. Sets LibTorch to `threads` threads. An Error also for a picture that cannot be
  // decoded.
  [[nodiscard]] common::Outcome<std::optional<model::eval::Evaluation>> judge(const model::darknet::Network& network,
                                                                              model::darknet::StoredWeights weights,
                                                                              std::size_t threads,
                                                                              const StopAsked& stop_asked) const;

 private:
  Validation() = default;
  [[nodiscard]] common::Outcome<std::shared_ptr<const LabelledPicture>> picture(std::size_t index,
                                                                                model::image::Size input) const;

  // One of them is empty.
  std::vector<std::shared_ptr<const LabelledPicture>> pictures_;
  std::vector<PictureFile> files_;
};

}  // namespace yolod::train
