#include "model/heads/augmented_network.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

#include "model/image/placement.hpp"
#include "model/image/scale.hpp"

namespace yolod::model::heads {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr double kImageNetGrey = 0.447;

image::Size size_of(const NetworkShape& shape) {
  return {static_cast<int>(shape.width), static_cast<int>(shape.height)};
}

int scaled_side(int side, double ratio) { return std::max(1, static_cast<int>(side * ratio)); }

}  // namespace

std::uint32_t view_alignment(int stride) {
  std::uint32_t alignment = 64;
  while (static_cast<std::int64_t>(alignment) < stride) alignment *= 2;
  return alignment;
}

common::InputSize view_size(const View& view, const common::InputSize& input, std::uint32_t alignment) {
  const auto padded = [&](std::uint32_t side) {
    return static_cast<std::uint32_t>(std::ceil(side * view.ratio / alignment)) * alignment;
  };
  return {padded(input.height), padded(input.width)};
}

std::array<float, 3> view_padding(const common::PreprocessConfig& preprocess) {
  std::array<float, 3> padding{};
  for (std::size_t c = 0; c < padding.size(); ++c) {
    padding[c] = static_cast<float>((kImageNetGrey * 255 * preprocess.scale - preprocess.mean[c]) / preprocess.std[c]);
  }
  return padding;
}

AugmentedNetwork::AugmentedNetwork(std::unique_ptr<Network> plain, std::vector<std::unique_ptr<Network>> views,
                                   const AugmentedHead& head)
    : plain_(std::move(plain)),
      views_(std::move(views)),
      head_(head),
      shape_(plain_->shape()),
      values_per_candidate_((head.layout == HeadLayout::kByScores ? 4 : 5) + shape_.classes) {
  for (const auto& view : views_) shape_.candidates += view->shape().candidates;
}

Outcome<RawHead> AugmentedNetwork::forward(NetworkInput& input, std::size_t images,
                                           std::span<const float> /*confidence*/) {
  images_ = images;
  // Make the views first, because a network may change its own input.
  if (auto filled = fill_views(input.values()); !filled) return std::move(filled).error();
  try {
    merged_.resize(images_ * shape_.candidates * values_per_candidate_);
  } catch (const std::bad_alloc&) {
    return common::Error{common::ErrorCode::kInternal, "no memory for a batch of " + std::to_string(images_)};
  }
  std::size_t first = 0;
  if (auto done = run_into_head(*plain_, input, first); !done) return std::move(done).error();
  first += plain_->shape().candidates;
  for (std::size_t v = 0; v < views_.size(); ++v) {
    if (auto done = run_into_head(*views_[v], *view_inputs_[v], first); !done) return std::move(done).error();
    bring_back(v, first);
    first += views_[v]->shape().candidates;
  }
  std::vector<std::size_t> sides{images_, shape_.candidates, values_per_candidate_};
  if (head_.layout == HeadLayout::kByScores) std::swap(sides[1], sides[2]);
  return RawHead{merged_, std::move(sides), {}};
}

void AugmentedNetwork::prepare(NetworkInput& input, std::size_t images) {
  plain_->prepare(input, images);
  for (std::size_t v = 0; v < view_inputs_.size(); ++v) views_[v]->prepare(*view_inputs_[v], images);
}

Outcome<void> AugmentedNetwork::fill_views(std::span<const float> input) {
  view_inputs_.clear();  // release these first, so that new_input() can reuse their memory
  const auto per_image = shape_.input_count();
  const auto input_size = size_of(shape_);
  for (std::size_t v = 0; v < views_.size(); ++v) {
    auto room = views_[v]->new_input(images_);
    if (!room) return std::move(room).error();
    view_inputs_.push_back(std::move(room).value());
    const auto values = view_inputs_.back()->values();
    const auto& shape = views_[v]->shape();
    const double ratio = kViews[v].ratio;
    const image::ScaledView view{kViews[v].mirrored,
                                 {scaled_side(input_size.width, ratio), scaled_side(input_size.height, ratio)},
                                 size_of(shape),
                                 head_.padding};
    for (std::size_t i = 0; i < images_; ++i) {
      image::scale_into(input.subspan(i * per_image, per_image), input_size, view,
                        values.subspan(i * shape.input_count(), shape.input_count()));
    }
  }
  return {};
}

std::span<float> AugmentedNetwork::image(std::size_t index) {
  const auto count = shape_.candidates * values_per_candidate_;
  return std::span(merged_).subspan(index * count, count);
}

// Copies the network's candidates into each image's list, starting at `first`.
Outcome<void> AugmentedNetwork::run_into_head(Network& network, NetworkInput& input, std::size_t first) {
  const auto head = network.forward(input, images_, {});
  if (!head) return head.error();
  const auto count = network.shape().candidates;
  if (head->images() != images_ || head->image(0).size() != count * values_per_candidate_) {
    return Error{ErrorCode::kInternal, "the network's output has an unexpected shape"};
  }
  for (std::size_t i = 0; i < images_; ++i) {
    const auto from = head->image(i);
    const auto to = image(i);
    if (head_.layout == HeadLayout::kByScores) {
      for (std::size_t value = 0; value < values_per_candidate_; ++value) {
        std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(value * count), count,
                    to.begin() + static_cast<std::ptrdiff_t>(value * shape_.candidates + first));
      }
    } else {
      std::copy(from.begin(), from.end(), to.begin() + static_cast<std::ptrdiff_t>(first * values_per_candidate_));
    }
  }
  return {};
}

// Maps the boxes of a view's candidates, starting at `first`, from the view's input to the original input.
void AugmentedNetwork::bring_back(std::size_t view, std::size_t first) {
  const auto& shape = views_[view]->shape();
  double across = 1 / kViews[view].ratio;
  double down = across;
  if (head_.boxes_are_fractions) {
    across *= static_cast<double>(shape.width) / static_cast<double>(shape_.width);
    down *= static_cast<double>(shape.height) / static_cast<double>(shape_.height);
  }
  const std::array<float, 4> factors{static_cast<float>(across), static_cast<float>(down), static_cast<float>(across),
                                     static_cast<float>(down)};
  const float right_edge = head_.boxes_are_fractions ? 1 : static_cast<float>(shape_.width);
  // The steps in memory from a candidate to the next, and from one of its values to the next.
  const bool by_scores = head_.layout == HeadLayout::kByScores;
  const std::size_t candidate_step = by_scores ? 1 : values_per_candidate_;
  const std::size_t value_step = by_scores ? shape_.candidates : 1;
  for (std::size_t i = 0; i < images_; ++i) {
    const auto values = image(i);
    for (std::size_t c = first; c < first + shape.candidates; ++c) {
      const auto box = values.subspan(c * candidate_step);
      for (std::size_t k = 0; k < factors.size(); ++k) box[k * value_step] *= factors[k];
      if (kViews[view].mirrored) box[0] = right_edge - box[0];
    }
  }
}

}  // namespace yolod::model::heads
