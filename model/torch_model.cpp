#include "model/torch_model.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "common/clock.hpp"
#include "common/text.hpp"
#include "model/detect/candidates.hpp"
#include "model/detect/detections.hpp"
#include "model/detect/nms.hpp"
#include "model/image/decode.hpp"
#include "model/image/placement.hpp"
#include "model/image/resize.hpp"
#include "model/load_network.hpp"
#include "model/precision.hpp"
#include "model/read_file.hpp"

namespace yolod::model {
namespace {

using common::Clock;
using common::Error;
using common::ErrorCode;
using common::Outcome;

image::Normalization to_normalization(const common::PreprocessConfig& preprocess) {
  image::Normalization normalization;
  normalization.scale = static_cast<float>(preprocess.scale);
  for (std::size_t c = 0; c < 3; ++c) {
    normalization.mean[c] = static_cast<float>(preprocess.mean[c]);
    normalization.std[c] = static_cast<float>(preprocess.std[c]);
  }
  normalization.swap_to_rgb = preprocess.order == common::ChannelOrder::kRgb;
  return normalization;
}

image::Fit to_fit(common::ResizeMode mode, bool letter_box) {
  switch (mode) {
    case common::ResizeMode::kStretch: return image::Fit::kStretch;
    case common::ResizeMode::kLetterbox: return image::Fit::kLetterbox;
    case common::ResizeMode::kAuto: break;
  }
  return letter_box ? image::Fit::kLetterbox : image::Fit::kStretch;
}

// By class: 1 for those that the config names; empty for all.
Outcome<std::vector<std::uint8_t>> class_filter(const common::ModelConfig& config,
                                                const std::vector<std::string>& labels) {
  std::vector<std::uint8_t> kept;
  if (config.detect.classes.empty()) return kept;
  kept.resize(labels.size(), 0);
  for (const auto& wanted : config.detect.classes) {
    const auto found = std::find(labels.begin(), labels.end(), wanted);
    if (found == labels.end())
      return bad_model(config.name + ": detect.classes: the model has no class \"" + common::printable(wanted) + "\"");
    kept[static_cast<std::size_t>(found - labels.begin())] = 1;
  }
  return kept;
}

// What one request asks for, after its own options.
struct Request {
  float confidence;
  float iou;
  std::size_t max_detections;
};

class TorchModel final : public Model {
 public:
  TorchModel(const common::ModelConfig& config, LoadedNetwork loaded, std::vector<std::uint8_t> class_kept)
      : config_(config),
        loaded_(std::move(loaded)),
        class_kept_(std::move(class_kept)),
        normalization_(to_normalization(config.preprocess)),
        fit_(to_fit(config.resize, loaded_.letter_box)) {
    const auto& shape = loaded_.network->shape();
    input_size_ = {static_cast<int>(shape.width), static_cast<int>(shape.height)};
    description_.task = "detect";
    description_.device = "cpu";
    description_.precision = to_string(loaded_.network->precision());
    description_.input_width = static_cast<std::uint32_t>(shape.width);
    description_.input_height = static_cast<std::uint32_t>(shape.height);
    description_.labels = loaded_.labels;
  }

  [[nodiscard]] const common::ModelDescription& description() const override { return description_; }
  [[nodiscard]] Outcome<void> warm_up() override;
  [[nodiscard]] std::vector<Output> run(std::span<const Input> inputs) override;

 private:
  // Placed in the batch: where its picture lies, and how large it was.
  struct Prepared {
    std::size_t input_index;
    Request request;
    image::Size image_size;
    image::Placement placement;
  };

  [[nodiscard]] Outcome<Request> read_options(const common::PredictionOptions& options) const;
  [[nodiscard]] Outcome<void> warm_up_batch(std::size_t images);
  [[nodiscard]] std::vector<Output> run_batch(std::span<const Input> inputs);
  [[nodiscard]] common::DetectionList find_detections(std::span<const float> head, const Prepared& prepared) const;

  common::ModelConfig config_;
  LoadedNetwork loaded_;
  std::vector<std::uint8_t> class_kept_;
  image::Normalization normalization_;
  image::Fit fit_;
  image::Size input_size_;
  common::ModelDescription description_;
};

// The first run of a shape pays for its oneDNN primitives. One image and a full batch are what load makes most often;
// the sizes between follow while that is cheap.
Outcome<void> TorchModel::warm_up() {
  const auto start = Clock::now();
  const std::size_t most = std::max<std::size_t>(1, config_.batch.max_size);
  if (auto done = warm_up_batch(1); !done) return done;
  if (most > 1) {
    if (auto done = warm_up_batch(most); !done) return done;
  }
  constexpr auto kEnough = std::chrono::seconds(2);
  for (std::size_t images = 2; images < most && Clock::now() - start < kEnough; ++images) {
    if (auto done = warm_up_batch(images); !done) return done;
  }
  return {};
}

Outcome<void> TorchModel::warm_up_batch(std::size_t images) {
  auto input = loaded_.network->input(images);
  if (!input) return bad_model(config_.name + ": warm-up: " + input.error().message);
  std::fill(input->begin(), input->end(), 0.5F);
  const auto head = loaded_.network->forward();
  if (!head) return bad_model(config_.name + ": warm-up: " + head.error().message);
  if (!std::all_of(head->values.begin(), head->values.end(), [](float value) { return std::isfinite(value); })) {
    return bad_model(config_.name +
                     ": warm-up: the network's output is not finite: its weights are damaged or not its own");
  }
  return {};
}

Outcome<Request> TorchModel::read_options(const common::PredictionOptions& options) const {
  const auto& defaults = config_.detect;
  const Request request{options.confidence.value_or(static_cast<float>(defaults.confidence)),
                        options.iou.value_or(static_cast<float>(defaults.iou)),
                        options.max_detections.value_or(defaults.max_detections)};
  // Written so that NaN is refused.
  if (!(request.confidence >= 0 && request.confidence <= 1)) {
    return Error{ErrorCode::kInvalidParameter, "confidence: 0 to 1 is allowed"};
  }
  if (!(request.iou >= 0 && request.iou <= 1)) return Error{ErrorCode::kInvalidParameter, "iou: 0 to 1 is allowed"};
  return request;
}

std::vector<Output> TorchModel::run(std::span<const Input> inputs) {
  // What the parts below throw of their own (no memory, above all) fails the batch, not the process.
  std::string what;
  try {
    return run_batch(inputs);
  } catch (const std::exception& error) {
    what = error.what();
  }
  std::vector<Output> outputs(inputs.size());
  for (auto& output : outputs)
    output.prediction = Error{ErrorCode::kInternal, "the batch failed: " + common::printable(what, 200)};
  return outputs;
}

std::vector<Output> TorchModel::run_batch(std::span<const Input> inputs) {
  std::vector<Output> outputs(inputs.size());
  auto& network = *loaded_.network;
  const auto per_image = network.shape().input_count();

  // Decoded pictures are held until all are known to be good: the batch has room for those alone.
  std::vector<Prepared> batch;
  std::vector<image::Picture> pictures;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto start = Clock::now();
    const auto request = read_options(inputs[i].options);
    auto picture =
        request ? image::decode(inputs[i].body, config_.limits.max_pixels) : Outcome<image::Picture>(request.error());
    outputs[i].times.decode_us = common::elapsed_us(start, Clock::now());
    if (!picture) {
      outputs[i].prediction = std::move(picture).error();
      continue;
    }
    const auto view = picture->view();
    const image::Size size{view.width, view.height};
    batch.push_back({i, *request, size, image::place(fit_, size, input_size_)});
    pictures.push_back(std::move(picture).value());
  }
  if (batch.empty()) return outputs;

  const auto fail_all = [&](const Error& error) {
    for (const auto& prepared : batch) outputs[prepared.input_index].prediction = error;
    return std::move(outputs);
  };
  const auto input = network.input(batch.size());
  if (!input) return fail_all(input.error());
  for (std::size_t b = 0; b < batch.size(); ++b) {
    const auto start = Clock::now();
    image::resize_into(pictures[b].view(), batch[b].placement, input_size_, normalization_,
                       input->subspan(b * per_image, per_image));
    outputs[batch[b].input_index].times.decode_us += common::elapsed_us(start, Clock::now());
  }
  pictures.clear();

  const auto forward_start = Clock::now();
  const auto head = network.forward();
  const auto infer_us = common::elapsed_us(forward_start, Clock::now());
  if (!head) return fail_all(head.error());
  for (std::size_t b = 0; b < batch.size(); ++b) {
    const auto start = Clock::now();
    auto& output = outputs[batch[b].input_index];
    output.prediction = common::Prediction(find_detections(head->image(b), batch[b]));
    output.times.infer_us = infer_us;
    output.times.post_us = common::elapsed_us(start, Clock::now());
  }
  return outputs;
}

common::DetectionList TorchModel::find_detections(std::span<const float> head, const Prepared& prepared) const {
  const auto& place = prepared.placement;
  const detect::Frame frame{static_cast<float>(place.x), static_cast<float>(place.y), static_cast<float>(place.width),
                            static_cast<float>(place.height)};
  const detect::Selection selection{prepared.request.confidence, config_.detect.multi_label != common::AutoBool::kFalse,
                                    class_kept_};
  const auto candidates = detect::select_candidates(head, loaded_.network->shape().row_length(), frame, selection);
  const detect::NmsRule rule{
      prepared.request.iou,
      loaded_.nms_kind == darknet::NmsKind::kDiou ? detect::Overlap::kDiou : detect::Overlap::kIou, loaded_.beta_nms};
  const auto kept = detect::suppress(candidates, rule, prepared.request.max_detections);
  const auto width = static_cast<std::uint32_t>(prepared.image_size.width);
  const auto height = static_cast<std::uint32_t>(prepared.image_size.height);
  return {width, height, detect::to_detections(kept, width, height)};
}

}  // namespace

Outcome<std::unique_ptr<Model>> load_torch_model(const common::ModelConfig& config, const Surroundings& surroundings) {
  if (config.task != common::Task::kDetect) return bad_model(config.name + ": only task: detect is supported");
  if (config.detect.augment) return bad_model(config.name + ": detect.augment is not supported");
  if (config.preprocess.crop != common::CropMode::kNone) {
    return bad_model(config.name + ": preprocess.crop: a detector takes the whole image, only none is supported");
  }
  try {
    image::prepare_decoder();
    auto loaded = load_network(config, surroundings);
    if (!loaded) return std::move(loaded).error();
    const auto& shape = loaded->network->shape();
    if (shape.head != HeadKind::kDetections)
      return bad_model(config.name + ": the network is a classifier, only detectors are supported");
    if (shape.channels != 3) {
      return bad_model(config.name + ": the network takes " + std::to_string(shape.channels) +
                       " channels, images have 3");
    }
    if (loaded->labels.empty()) return bad_model(config.name + ": no file with the names of its classes is given");
    auto class_kept = class_filter(config, loaded->labels);
    if (!class_kept) return std::move(class_kept).error();
    return std::unique_ptr<Model>(
        std::make_unique<TorchModel>(config, std::move(loaded).value(), std::move(class_kept).value()));
  } catch (const std::exception& error) {
    return bad_model(config.name + ": cannot be loaded: " + common::printable(error.what(), 200));
  }
}

}  // namespace yolod::model
