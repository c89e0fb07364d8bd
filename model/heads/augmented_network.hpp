// Test-time augmentation: a detector looks at its input three times, as it is, smaller and mirrored, and smaller still,
// and what it finds each time becomes one list of candidates.
//
// The scales, the padding and the way back are those of Darknet.forward(augment=True) and scale_img() in Ultralytics'
// yolov3, archive branch (models.py, utils/torch_utils.py). As there, the candidates of all views enter NMS together,
// and none is left out for its size.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/heads/candidates.hpp"
#include "model/network.hpp"

namespace yolod::model::heads {

struct View {
  double ratio{1};
  bool mirrored{false};
};

// Beside the original, in the order of their candidates.
inline constexpr std::array<View, 2> kViews{{{0.83, true}, {0.67, false}}};

// What a view's sides are padded to a multiple of: 64, or twice that and so on where the network's coarsest head has a
// larger stride.
[[nodiscard]] std::uint32_t view_alignment(int stride);

// The input that a view's network runs on.
[[nodiscard]] common::InputSize view_size(const View& view, const common::InputSize& input, std::uint32_t alignment);

// How what is given is laid out, and what is put around the views.
struct AugmentedHead {
  HeadLayout layout{HeadLayout::kByObjectness};  // kByObjectness or kByScores
  bool boxes_are_fractions{false};
  std::array<float, 3> padding{};  // by channel, in the network's numbers
};

// The middle grey of ImageNet as `preprocess` makes it of a picture's byte.
[[nodiscard]] std::array<float, 3> view_padding(const common::PreprocessConfig& preprocess);

// Its shape and head are those of `plain` with more candidates: first the original's, then those of each view, their
// boxes in the original's units. Memory and time are those of all its networks together.
class AugmentedNetwork final : public Network {
 public:
  // `views`: the same network for the sizes that view_size() gives, one for each of kViews. All take 3 channels.
  AugmentedNetwork(std::unique_ptr<Network> plain, std::vector<std::unique_ptr<Network>> views,
                   const AugmentedHead& head);

  [[nodiscard]] const NetworkShape& shape() const override { return shape_; }
  [[nodiscard]] common::Precision precision() const override { return plain_->precision(); }
  [[nodiscard]] const std::string& device() const override { return plain_->device(); }
  [[nodiscard]] common::Outcome<std::unique_ptr<NetworkInput>> new_input(std::size_t images) override {
    return plain_->new_input(images);
  }
  // All candidates, whatever their confidence.
  [[nodiscard]] common::Outcome<RawHead> forward(NetworkInput& input, std::size_t images,
                                                 std::span<const float> confidence) override;
  void prepare(NetworkInput& input, std::size_t images) override;

 private:
  [[nodiscard]] common::Outcome<void> fill_views(std::span<const float> input);
  [[nodiscard]] common::Outcome<void> run_into_head(Network& network, NetworkInput& input, std::size_t first);
  void bring_back(std::size_t view, std::size_t first);
  [[nodiscard]] std::span<float> image(std::size_t index);

  std::unique_ptr<Network> plain_;
  std::vector<std::unique_ptr<Network>> views_;
  AugmentedHead head_;
  NetworkShape shape_;
  std::size_t values_per_candidate_;
  std::vector<std::unique_ptr<NetworkInput>> view_inputs_;
  std::size_t images_{0};
  std::vector<float> merged_;
};

}  // namespace yolod::model::heads
