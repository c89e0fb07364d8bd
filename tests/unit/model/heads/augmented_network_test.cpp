#include "model/heads/augmented_network.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/image/scale.hpp"

using namespace yolod;
using model::heads::AugmentedHead;
using model::heads::AugmentedNetwork;
using model::heads::HeadLayout;

namespace {

constexpr std::size_t kClasses = 2;
constexpr std::size_t kRow = 5 + kClasses;

class FakeInput final : public model::NetworkInput {
 public:
  explicit FakeInput(std::size_t count) : values_(count) {}
  [[nodiscard]] std::span<float> values() override { return values_; }

 private:
  std::vector<float> values_;
};

// The first candidate has the given box and scores, moved right by the first number of the input. All other
// candidates are 0.
class FakeNetwork final : public model::Network {
 public:
  FakeNetwork(common::InputSize size, std::size_t candidates, std::vector<float> first, bool by_scores = false)
      : shape_{3, size.height, size.width, candidates, kClasses}, first_(std::move(first)), by_scores_(by_scores) {}

  [[nodiscard]] const model::NetworkShape& shape() const override { return shape_; }
  [[nodiscard]] common::Precision precision() const override { return common::Precision::kFp32; }
  [[nodiscard]] const std::string& device() const override { return device_; }
  [[nodiscard]] common::Outcome<std::unique_ptr<model::NetworkInput>> new_input(std::size_t images) override {
    return std::unique_ptr<model::NetworkInput>(std::make_unique<FakeInput>(images * shape_.input_count()));
  }
  [[nodiscard]] common::Outcome<model::RawHead> forward(model::NetworkInput& input, std::size_t images,
                                                        std::span<const float> /*confidence*/) override {
    const auto given = input.values();
    if (fails) return common::Error{common::ErrorCode::kInternal, "it does not want to"};
    head_.assign(images * shape_.candidates * first_.size(), 0);
    for (std::size_t i = 0; i < images; ++i) {
      const auto image = std::span(head_).subspan(i * shape_.candidates * first_.size());
      for (std::size_t k = 0; k < first_.size(); ++k) image[by_scores_ ? k * shape_.candidates : k] = first_[k];
      image[0] += given[i * shape_.input_count()];
    }
    std::fill(given.begin(), given.end(), -1.0F);  // a network may overwrite its input
    return model::RawHead{head_,
                          by_scores_ ? std::vector{images, first_.size(), shape_.candidates}
                                     : std::vector{images, shape_.candidates, first_.size()},
                          {}};
  }

  bool fails{false};

 private:
  model::NetworkShape shape_;
  std::vector<float> first_;
  bool by_scores_;
  const std::string device_{"cpu"};
  std::vector<float> head_;
};

// The network has an input of 64 x 128 (height x width). Its two views also have 64 x 128 pixels, for pictures
// scaled to 53 x 106 and 42 x 85.
struct Fakes {
  explicit Fakes(const AugmentedHead& head, std::vector<float> first = {10, 20, 8, 4, 0.5F, 0.25F, 0.75F}) {
    const bool by_scores = head.layout == HeadLayout::kByScores;
    auto make = [&](std::size_t candidates) {
      return std::make_unique<FakeNetwork>(common::InputSize{64, 128}, candidates, first, by_scores);
    };
    auto original = make(3);
    plain = original.get();
    std::vector<std::unique_ptr<model::Network>> others;
    for (const std::size_t candidates : {2U, 1U}) {
      auto view = make(candidates);
      views.push_back(view.get());
      others.push_back(std::move(view));
    }
    augmented = std::make_unique<AugmentedNetwork>(std::move(original), std::move(others), head);
  }

  model::RawHead run(const std::vector<float>& red_of_images) {
    const auto input = augmented->new_input(red_of_images.size());
    REQUIRE(input.ok());
    const auto per_image = augmented->shape().input_count();
    const auto room = (*input)->values();
    for (std::size_t i = 0; i < room.size(); ++i) room[i] = i % 3 == 0 ? red_of_images[i / per_image] : 0;
    const auto head = augmented->forward(**input, red_of_images.size(), {});
    REQUIRE(head.ok());
    return head.value();
  }

  FakeNetwork* plain;
  std::vector<FakeNetwork*> views;
  std::unique_ptr<AugmentedNetwork> augmented;
};

void check_box(const std::vector<float>& box, double x, double y, double width, double height) {
  CHECK(static_cast<double>(box[0]) == Approx(x));
  CHECK(static_cast<double>(box[1]) == Approx(y));
  CHECK(static_cast<double>(box[2]) == Approx(width));
  CHECK(static_cast<double>(box[3]) == Approx(height));
}

std::vector<float> row(std::span<const float> image, std::size_t candidate) {
  const auto values = image.subspan(candidate * kRow, kRow);
  return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("AugmentedNetwork: views are scaled, and padded to the alignment", "[model][unit]") {
  using model::heads::kViews;
  using model::heads::view_size;
  const auto sizes_of = [](common::InputSize input, std::uint32_t alignment = 64) {
    return std::pair(view_size(kViews[0], input, alignment), view_size(kViews[1], input, alignment));
  };
  CHECK(sizes_of({416, 416}) == std::pair(common::InputSize{384, 384}, common::InputSize{320, 320}));
  CHECK(sizes_of({320, 640}) == std::pair(common::InputSize{320, 576}, common::InputSize{256, 448}));
  CHECK(sizes_of({4, 4}) == std::pair(common::InputSize{64, 64}, common::InputSize{64, 64}));
  CHECK(sizes_of({896, 896}, 128) == std::pair(common::InputSize{768, 768}, common::InputSize{640, 640}));
  CHECK(model::heads::view_alignment(8) == 64);
  CHECK(model::heads::view_alignment(64) == 64);
  CHECK(model::heads::view_alignment(65) == 128);
}

TEST_CASE("AugmentedNetwork: the padding of a view is ImageNet's mean, in the number range of the network",
          "[model][unit]") {
  common::PreprocessConfig preprocess;
  CHECK(model::heads::view_padding(preprocess)[2] == Approx(0.447));
  preprocess.mean = {0.485, 0.456, 0.406};
  preprocess.std = {0.229, 0.224, 0.225};
  CHECK(model::heads::view_padding(preprocess)[0] == Approx((0.447 - 0.485) / 0.229));
  preprocess.scale = 1;
  preprocess.mean = {0, 0, 0};
  preprocess.std = {1, 1, 1};
  CHECK(model::heads::view_padding(preprocess)[1] == Approx(0.447 * 255));
}

TEST_CASE(
    "AugmentedNetwork: the head holds the candidates of all views, with boxes in the pixels of the original input",
    "[model][unit]") {
  Fakes fakes({});
  CHECK(fakes.augmented->shape().candidates == 6);
  CHECK(fakes.augmented->shape().row_length() == kRow);
  const auto head = fakes.run({0, 1});
  CHECK(head.sides == std::vector<std::size_t>{2, 6, kRow});
  for (const std::size_t image : {0U, 1U}) {
    const double moved = 10 + static_cast<double>(image);
    check_box(row(head.image(image), 0), moved, 20, 8, 4);
    CHECK(row(head.image(image), 1) == std::vector<float>(kRow));
    check_box(row(head.image(image), 3), 128 - moved / 0.83, 20 / 0.83, 8 / 0.83, 4 / 0.83);
    check_box(row(head.image(image), 5), moved / 0.67, 20 / 0.67, 8 / 0.67, 4 / 0.67);
    for (const std::size_t candidate : {0U, 3U, 5U}) {
      const auto values = row(head.image(image), candidate);
      CHECK(std::vector(values.begin() + 4, values.end()) == std::vector{0.5F, 0.25F, 0.75F});
    }
  }
  CHECK(fakes.run({1}).sides.front() == 1);
}

TEST_CASE("AugmentedNetwork: heads with class scores are merged along their last dimension", "[model][unit]") {
  Fakes fakes({HeadLayout::kByScores, false, {}}, {10, 20, 8, 4, 0.25F, 0.75F});
  const auto head = fakes.run({0});
  CHECK(head.sides == std::vector<std::size_t>{1, 4 + kClasses, 6});
  const auto candidate = [&](std::size_t index) {
    std::vector<float> values;
    for (std::size_t k = 0; k < 4 + kClasses; ++k) values.push_back(head.values[k * 6 + index]);
    return values;
  };
  check_box(candidate(0), 10, 20, 8, 4);
  check_box(candidate(3), 128 - 10 / 0.83, 20 / 0.83, 8 / 0.83, 4 / 0.83);
  check_box(candidate(5), 10 / 0.67, 20 / 0.67, 8 / 0.67, 4 / 0.67);
  CHECK(candidate(5)[5] == 0.75F);
}

TEST_CASE("AugmentedNetwork: boxes in fractions are converted to fractions of the original input", "[model][unit]") {
  const std::vector<float> first{0.25F, 0.5F, 0.125F, 0.25F, 1, 1, 1};
  auto plain = std::make_unique<FakeNetwork>(common::InputSize{416, 320}, 1, first);
  std::vector<std::unique_ptr<model::Network>> views;
  views.push_back(std::make_unique<FakeNetwork>(common::InputSize{384, 320}, 1, first));
  views.push_back(std::make_unique<FakeNetwork>(common::InputSize{320, 256}, 1, first));
  AugmentedNetwork augmented(std::move(plain), std::move(views), {HeadLayout::kByObjectness, true, {}});
  const auto input = augmented.new_input(1);
  REQUIRE(input.ok());
  const auto head = augmented.forward(**input, 1, {});
  REQUIRE(head.ok());
  check_box(row(head->image(0), 0), 0.25, 0.5, 0.125, 0.25);
  check_box(row(head->image(0), 1), 1 - 0.25 * 320 / 0.83 / 320, 0.5 * 384 / 0.83 / 416, 0.125 * 320 / 0.83 / 320,
            0.25 * 384 / 0.83 / 416);
  check_box(row(head->image(0), 2), 0.25 * 256 / 0.67 / 320, 0.5 * 320 / 0.67 / 416, 0.125 * 256 / 0.67 / 320,
            0.25 * 320 / 0.67 / 416);
}

TEST_CASE("AugmentedNetwork: an error of any of the networks is the error of the whole", "[model][unit]") {
  const auto which = GENERATE(0, 1, 2);
  Fakes fakes({});
  (which == 0 ? fakes.plain : fakes.views[static_cast<std::size_t>(which - 1)])->fails = true;
  const auto input = fakes.augmented->new_input(1);
  REQUIRE(input.ok());
  const auto head = fakes.augmented->forward(**input, 1, {});
  REQUIRE_FALSE(head.ok());
  CHECK(head.error().message == "it does not want to");
}

TEST_CASE("Scale: at half the size each pixel is the mean of 2 x 2 pixels, with padding on the right and below",
          "[model][unit]") {
  // The picture has 2 x 4 pixels. Channel c of the pixel in column x and row y is 100 c + 10 y + x.
  std::vector<float> input;
  for (int y = 0; y < 2; ++y) {
    for (int x = 0; x < 4; ++x) {
      for (int c = 0; c < 3; ++c) input.push_back(static_cast<float>(100 * c + 10 * y + x));
    }
  }
  const auto scaled = [&](bool mirrored) {
    std::vector<float> output(2 * 3 * 3, -1);
    model::image::scale_into(input, {4, 2}, {mirrored, {2, 1}, {3, 2}, {7, 8, 9}}, output);
    return output;
  };
  CHECK(scaled(false) ==
        std::vector<float>{5.5F, 105.5F, 205.5F, 7.5F, 107.5F, 207.5F, 7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9});
  CHECK(scaled(true) ==
        std::vector<float>{7.5F, 107.5F, 207.5F, 5.5F, 105.5F, 205.5F, 7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9});
}

TEST_CASE("Scale: a mirrored copy of the same size is the mirror image, and a single pixel is enough",
          "[model][unit]") {
  const std::vector<float> input{1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<float> output(9);
  model::image::scale_into(input, {3, 1}, {true, {3, 1}, {3, 1}, {}}, output);
  CHECK(output == std::vector<float>{7, 8, 9, 4, 5, 6, 1, 2, 3});
  model::image::scale_into(std::span(input).first(3), {1, 1}, {true, {1, 1}, {1, 1}, {}}, std::span(output).first(3));
  CHECK(output[2] == 3);
}
