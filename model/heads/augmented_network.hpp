// Test-time augmentation: a detector processes its input three times (unchanged, smaller and mirrored, and still
// smaller), and the results form one list of candidates.
//
// The scales, the padding and the mapping of boxes follow Darknet.forward(augment=True) and scale_img() in
// Ultralytics' yolov3, archive branch (models.py, utils/torch_utils.py). As in that program, NMS gets the candidates
// of all views together, whatever their size.
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

// The additional views, in the order of their candidates.
inline constexpr std::array<View, 2> kViews{{{0.83, true}, {0.67, false}}};

// Returns the number whose multiples are the sides of a padded view: 64, doubled until it is at least the stride of
// the network's coarsest head.
[[nodiscard]] std::uint32_t view_alignment(int stride);

// Returns the input size of a view's network.
[[nodiscard]] common::InputSize view_size(const View& view, const common::InputSize& input, std::uint32_t alignment);

// The layout of the network's output, and the padding of the views.
struct AugmentedHead {
  HeadLayout layout{HeadLayout::kByObjectness};  // only kByObjectness or kByScores
  bool boxes_are_fractions{false};
  std::array<float, 3> padding{};  // by channel, in the units of the network's input
};

// Returns the middle grey of ImageNet, normalised with `preprocess`.
[[nodiscard]] std::array<float, 3> view_padding(const common::PreprocessConfig& preprocess);

// The network has the shape and head of `plain` with more candidates: first the candidates of the original input,
// then the candidates of each view, with boxes in the original's units. It needs the memory and time of all its
// networks together.
class AugmentedNetwork final : public Network {
 public:
  // `views` are the same network at the sizes of view_size(), one for each of kViews. REQUIRES: all networks take 3
  // channels.
  AugmentedNetwork(std::unique_ptr<Network> plain, std::vector<std::unique_ptr<Network>> views,
                   const AugmentedHead& head);

  [[nodiscard]] const NetworkShape& shape() const override { return shape_; }
  [[nodiscard]] common::Precision precision() const override { return plain_->precision(); }
  [[nodiscard]] const std::string& device() const override { return plain_->device(); }
  [[nodiscard]] common::Outcome<std::unique_ptr<NetworkInput>> new_input(std::size_t images) override {
    return plain_->new_input(images);
  }
  // Returns all candidates, whatever their confidence.
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
