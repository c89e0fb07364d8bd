// What models that look at pictures have in common: decode, place, resize, forward. What the output means is theirs.
#pragma once

#include <chrono>
#include <cstddef>
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

// How a picture becomes the network's input.
struct Preparation {
  image::Fit fit{image::Fit::kStretch};
  image::Rounding rounding{image::Rounding::kTruncated};
  double crop_fraction{1};  // with Fit::kCrop
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
  // A picture of the batch: which of the inputs it was, and how large.
  struct Prepared {
    std::size_t input_index;
    image::Size image_size;
    image::Placement placement;
  };

  VisionModel(const common::ModelConfig& config, std::unique_ptr<Network> network, const Preparation& preparation,
              std::string task, std::vector<std::string> labels);

  // An Error (kInvalidParameter) if a request may not ask so; before its picture is looked at.
  [[nodiscard]] virtual common::Outcome<void> check(const common::PredictionOptions& options) const = 0;
  // Below which a request wants no candidates; nothing: it is not of that kind.
  [[nodiscard]] virtual std::optional<float> threshold(const common::PredictionOptions& /*options*/) const {
    return std::nullopt;
  }
  // The answer for image `index` of the batch that gave `head`; its options were checked.
  [[nodiscard]] virtual common::Outcome<common::Prediction> answer(const RawHead& head, std::size_t index,
                                                                   const Prepared& prepared,
                                                                   const Input& input) const = 0;

  // Once more, with all of its pixels. Not while another Picture is held.
  [[nodiscard]] common::Outcome<image::Picture> decode_whole(const Input& input) const;

  [[nodiscard]] const common::ModelConfig& config() const { return config_; }
  [[nodiscard]] image::Size input_size() const { return input_size_; }

 private:
  [[nodiscard]] common::Outcome<std::unique_ptr<NetworkInput>> grey_input(std::size_t images);
  [[nodiscard]] common::Outcome<void> warm_up_batch(std::size_t images);
  [[nodiscard]] common::Outcome<void> time_batches(std::span<const std::size_t> sizes);
  [[nodiscard]] common::Outcome<void> run_as_served(NetworkInput& input, std::size_t images);
  struct DecodedPictures;
  [[nodiscard]] common::Outcome<void> decode_into(DecodedPictures& batch);
  // The picture at `placement` in the network's input, one image's `room`; for a network of one channel made grey.
  void bring(const image::Picture& picture, const image::Placement& placement, std::span<float> room) const;
  void bring_grey(image::Picture& picture, const image::Placement& placement, std::span<float> room) const;
  // False if there is no picture: its output says why then.
  [[nodiscard]] bool decode_one(const Input& input, std::span<float> room, Output& output, Prepared& prepared) const;
  [[nodiscard]] common::Outcome<void> compute(DecodedPictures& batch);

  common::ModelConfig config_;
  std::unique_ptr<Network> network_;
  Preparation preparation_;
  image::Size input_size_;
  image::Size needed_;  // what a picture is resized to, at least
  image::DecodeLimits limits_;
  mutable image::DecodeMemory decode_memory_;  // of all threads that decode here
  common::ModelDescription description_;
};

}  // namespace yolod::model
