// The base of models for pictures: decode, place, resize, forward. Derived classes convert the output to an answer.
//
// The class has many functions because a picture needs all steps of model::Model, alone or in a batch, and derived
// classes ask for its network, its settings and its placement.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/domain/description.hpp"
#include "common/domain/options.hpp"
#include "common/domain/prediction.hpp"
#include "common/outcome.hpp"
#include "model/image/codec/decode.hpp"
#include "model/image/placement.hpp"
#include "model/image/resize.hpp"
#include "model/model.hpp"
#include "model/network.hpp"
#include "model/rules/picture_rules.hpp"

namespace yolod::model {

// The settings that convert a picture to the network's input.
struct Preparation {
  image::Fit fit{image::Fit::kStretch};
  image::Rounding rounding{image::Rounding::kTruncated};
  double crop_fraction{1};  // for Fit::kCrop
  image::Sampling sampling{image::Sampling::kCornersAligned};
  image::Normalization normalization;
};

[[nodiscard]] Preparation preparation_for(const common::ModelConfig& config, const PictureRules& rules);

class VisionModel : public Model {
 public:
  [[nodiscard]] const common::ModelDescription& description() const final { return description_; }
  [[nodiscard]] common::Outcome<void> warm_up(std::span<const std::size_t> sizes) final;
  [[nodiscard]] bool computes_batches() const final { return true; }
  [[nodiscard]] common::Outcome<BatchTime> time_batch(std::size_t images) final;
  [[nodiscard]] common::Outcome<void> use_threads(std::uint32_t threads) final;
  [[nodiscard]] common::Outcome<void> self_test(SealedProcess process) final;
  [[nodiscard]] std::vector<Output> run(std::span<const Input> inputs) final;
  [[nodiscard]] bool decodes_ahead() const final { return true; }
  [[nodiscard]] std::unique_ptr<Decoded> decode(std::span<const Input> inputs) final;
  [[nodiscard]] std::vector<Output> run_decoded(std::unique_ptr<Decoded> decoded) final;

 protected:
  // A picture of the batch: the index of its input, and its size.
  struct Prepared {
    std::size_t input_index;
    image::Size image_size;
    image::Placement placement;
  };

  VisionModel(const common::ModelConfig& config, std::unique_ptr<Network> network, const Preparation& preparation,
              std::string task, std::vector<std::string> labels);

  // Returns an Error (kInvalidParameter) if a request may not have these options. It is called before the picture is
  // decoded.
  [[nodiscard]] virtual common::Outcome<void> check(const common::PredictionOptions& options) const = 0;
  // Returns the confidence below which a request wants no candidates, or nullopt if the task has no threshold.
  [[nodiscard]] virtual std::optional<float> threshold(const common::PredictionOptions& /*options*/) const {
    return std::nullopt;
  }
  // Returns the answer for image `index` of the batch whose output is `head`. REQUIRES: check() accepted the options.
  [[nodiscard]] virtual common::Outcome<common::Prediction> answer(const RawHead& head, std::size_t index,
                                                                   const Prepared& prepared,
                                                                   const Input& input) const = 0;

  // Returns an Error (kInvalidParameter) if an output with so many bytes is longer than limits.max_result_bytes.
  [[nodiscard]] common::Outcome<void> check_output(std::uint64_t bytes) const;
  // Decodes the picture again with all of its pixels. REQUIRES: the thread holds no other Picture.
  [[nodiscard]] common::Outcome<image::Picture> decode_whole(const Input& input) const;

  [[nodiscard]] const common::ModelConfig& config() const { return config_; }
  [[nodiscard]] image::Size input_size() const { return input_size_; }
  [[nodiscard]] const NetworkShape& shape() const { return network_->shape(); }
  void set_raw_output(std::array<std::uint32_t, 2> sides) { description_.raw_output = sides; }

 private:
  [[nodiscard]] common::Outcome<std::unique_ptr<NetworkInput>> grey_input(std::size_t images);
  [[nodiscard]] common::Outcome<void> warm_up_batch(std::size_t images);
  [[nodiscard]] common::Outcome<void> time_batches(std::span<const std::size_t> sizes);
  [[nodiscard]] common::Outcome<void> run_as_served(NetworkInput& input, std::size_t images);
  struct DecodedPictures;
  [[nodiscard]] common::Outcome<void> decode_into(DecodedPictures& batch);
  // Writes the picture at `placement` into the network's input; `room` is the space of one image. For a network with
  // one channel it converts the picture to grey.
  void bring(const image::Picture& picture, const image::Placement& placement, std::span<float> room) const;
  void bring_grey(image::Picture& picture, const image::Placement& placement, std::span<float> room) const;
  // Returns false if the picture cannot be decoded; `output` then has the reason.
  [[nodiscard]] bool decode_one(const Input& input, std::span<float> room, Output& output, Prepared& prepared) const;
  [[nodiscard]] common::Outcome<void> compute(DecodedPictures& batch);

  common::ModelConfig config_;
  std::unique_ptr<Network> network_;
  Preparation preparation_;
  image::Size input_size_;
  image::Size needed_;  // the least size to which a picture is resized
  image::DecodeLimits limits_;
  mutable image::DecodeMemory decode_memory_;  // shared by all threads that decode here
  common::ModelDescription description_;
};

}  // namespace yolod::model
