#include "model/tasks/image_model.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/image/codec/encode.hpp"
#include "model/image/from_planes.hpp"
#include "model/rules/loaded_network.hpp"
#include "model/tasks/vision_model.hpp"

namespace yolod::model {
namespace {

using common::Outcome;

// Maps a range of `input` to a range (first and length) of `output` that lies within it and is not empty.
std::pair<int, int> scaled_to(int first, int length, int input, int output) {
  const double scale = static_cast<double>(output) / input;
  const int begin = std::clamp(static_cast<int>(std::lround(first * scale)), 0, output - 1);
  const int end = std::clamp(static_cast<int>(std::lround((first + length) * scale)), begin + 1, output);
  return {begin, end - begin};
}

class ImageModel final : public VisionModel {
 public:
  ImageModel(const common::ModelConfig& config, LoadedNetwork loaded)
      : VisionModel(config, std::move(loaded.network), preparation_for(config, loaded.rules), "image", {}) {}

 private:
  [[nodiscard]] Outcome<void> check(const common::PredictionOptions& /*options*/) const override { return {}; }

  [[nodiscard]] Outcome<common::Prediction> answer(const RawHead& head, std::size_t index, const Prepared& prepared,
                                                   const Input& input) const override {
    const image::Size size{static_cast<int>(head.sides[3]), static_cast<int>(head.sides[2])};
    const auto& place = prepared.placement;
    const auto [x, width] = scaled_to(place.x, place.width, input_size().width, size.width);
    const auto [y, height] = scaled_to(place.y, place.height, input_size().height, size.height);
    const auto& range = config().image.range;
    const auto pixels = image::from_planes(head.image(index), size, {x, y, width, height},
                                           {static_cast<float>(range[0]), static_cast<float>(range[1])},
                                           config().preprocess.order == common::ChannelOrder::kBgr);
    const auto type = input.options.png ? common::FileType::kPng : common::FileType::kJpeg;
    auto bytes = image::encode(pixels.view(), type);
    if (!bytes) return std::move(bytes).error();
    return common::Prediction(common::EncodedFile{type, std::move(bytes).value()});
  }
};

}  // namespace

Outcome<std::unique_ptr<Model>> make_image_model(const common::ModelConfig& config, LoadedNetwork loaded) {
  return std::unique_ptr<Model>(std::make_unique<ImageModel>(config, std::move(loaded)));
}

}  // namespace yolod::model
