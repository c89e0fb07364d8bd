#include "model/tasks/detect_model.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/log.hpp"
#include "common/text.hpp"
#include "model/bad_model.hpp"
#include "model/heads/candidates.hpp"
#include "model/heads/detections.hpp"
#include "model/heads/nms.hpp"
#include "model/heads/raw_output.hpp"
#include "model/image/codec/annotate.hpp"
#include "model/rules/loaded_network.hpp"
#include "model/tasks/vision_model.hpp"

namespace yolod::model {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

// Returns 1 for each class that the config lists; empty if all classes are wanted.
Outcome<std::vector<std::uint8_t>> class_filter(const common::ModelConfig& config,
                                                const std::vector<std::string>& labels) {
  std::vector<std::uint8_t> kept;
  if (config.detect.classes.empty()) return kept;
  kept.resize(labels.size(), 0);
  for (const auto& wanted : config.detect.classes) {
    bool found = false;
    // Several classes may have the same name.
    for (std::size_t c = 0; c < labels.size(); ++c) {
      if (labels[c] != wanted) continue;
      kept[c] = 1;
      found = true;
    }
    if (!found)
      return bad_model(config.name + ": detect.classes: the model has no class \"" + common::printable(wanted) + "\"");
  }
  return kept;
}

// The settings of a request, after its own options are applied.
struct Request {
  float confidence;
  float iou;
  std::size_t max_detections;
};

class DetectModel final : public VisionModel {
 public:
  DetectModel(const common::ModelConfig& config, LoadedNetwork loaded, std::vector<std::uint8_t> class_kept)
      : VisionModel(config, std::move(loaded.network), preparation_for(config, loaded.rules), "detect",
                    std::move(loaded.labels)),
        class_kept_(std::move(class_kept)),
        multi_label_(loaded.rules.multi_label),
        layout_(loaded.rules.layout),
        boxes_are_fractions_(loaded.rules.boxes_are_fractions),
        nms_kind_(loaded.rules.nms_kind),
        beta_nms_(loaded.rules.beta_nms) {
    const auto rows = static_cast<std::uint32_t>(shape().candidates);
    const auto values = static_cast<std::uint32_t>(description().labels.size() + 4);
    if (layout_ == heads::HeadLayout::kFinal) {
      set_raw_output({rows, heads::kFinalRow});
    } else {
      set_raw_output({values, rows});
    }
  }

 private:
  [[nodiscard]] Outcome<void> check(const common::PredictionOptions& options) const override;
  [[nodiscard]] std::optional<float> threshold(const common::PredictionOptions& options) const override {
    constexpr float kBelowAll = -1;
    return options.tensors ? kBelowAll : request_of(options).confidence;
  }
  [[nodiscard]] Outcome<common::Prediction> answer(const RawHead& head, std::size_t index, const Prepared& prepared,
                                                   const Input& input) const override;

  // Returns the network's output for NAME:raw.
  [[nodiscard]] Outcome<common::Prediction> raw(std::span<const float> head) const;
  // Returns the picture with its boxes, as JPEG or PNG.
  [[nodiscard]] Outcome<common::Prediction> annotated(const Input& input, image::Size size,
                                                      std::span<const common::Detection> detections) const;
  [[nodiscard]] Request request_of(const common::PredictionOptions& options) const;
  [[nodiscard]] std::vector<heads::Candidate> candidates_of(const RawHead& head, std::size_t index,
                                                            const image::Placement& place, float confidence) const;

  std::vector<std::uint8_t> class_kept_;
  bool multi_label_;
  heads::HeadLayout layout_;
  bool boxes_are_fractions_;
  heads::Overlap nms_kind_;
  float beta_nms_;
};

Request DetectModel::request_of(const common::PredictionOptions& options) const {
  const auto& defaults = config().detect;
  return {options.confidence.value_or(static_cast<float>(defaults.confidence)),
          options.iou.value_or(static_cast<float>(defaults.iou)),
          options.max_detections.value_or(defaults.max_detections)};
}

Outcome<void> DetectModel::check(const common::PredictionOptions& options) const {
  const auto request = request_of(options);
  // The condition also refuses NaN.
  if (!(request.confidence >= 0 && request.confidence <= 1)) {
    return Error{ErrorCode::kInvalidParameter, "confidence: 0 to 1 is allowed"};
  }
  if (!(request.iou >= 0 && request.iou <= 1)) return Error{ErrorCode::kInvalidParameter, "iou: 0 to 1 is allowed"};
  if (options.iou && layout_ == heads::HeadLayout::kFinal) {
    return Error{ErrorCode::kInvalidParameter,
                 "iou: this model suppresses boxes inside its network, with a fixed threshold"};
  }
  return {};
}

std::vector<heads::Candidate> DetectModel::candidates_of(const RawHead& head, std::size_t index,
                                                         const image::Placement& place, float confidence) const {
  const float unit_x = boxes_are_fractions_ ? static_cast<float>(input_size().width) : 1;
  const float unit_y = boxes_are_fractions_ ? static_cast<float>(input_size().height) : 1;
  const heads::Frame frame{static_cast<float>(place.x) / unit_x, static_cast<float>(place.y) / unit_y,
                           static_cast<float>(place.width) / unit_x, static_cast<float>(place.height) / unit_y};
  const heads::Selection selection{confidence, multi_label_, class_kept_};
  const auto values = head.image(index);
  const std::size_t classes = description().labels.size();
  switch (layout_) {
    case heads::HeadLayout::kByScores:
      return heads::select_by_scores(values, values.size() / (4 + classes), frame, selection);
    case heads::HeadLayout::kFinal: return heads::select_final(values, classes, frame, selection);
    case heads::HeadLayout::kByObjectness: break;
  }
  return heads::select_candidates(values, 5 + classes, frame, selection);
}

Outcome<common::Prediction> DetectModel::raw(std::span<const float> head) const {
  const heads::RawForm form{layout_, description().labels.size(),
                            boxes_are_fractions_ ? static_cast<float>(input_size().width) : 1,
                            boxes_are_fractions_ ? static_cast<float>(input_size().height) : 1};
  common::NamedTensor output{"output0", heads::raw_output(head, form)};
  if (auto checked = check_output(output.array.bytes.size()); !checked) return checked.error();
  common::TensorList list;
  list.tensors.push_back(std::move(output));  // an initializer list would copy the bytes
  return common::Prediction(std::move(list));
}

Outcome<common::Prediction> DetectModel::answer(const RawHead& head, std::size_t index, const Prepared& prepared,
                                                const Input& input) const {
  if (input.options.tensors) return raw(head.image(index));
  const auto request = request_of(input.options);
  const heads::Target target{static_cast<std::uint32_t>(prepared.image_size.width),
                             static_cast<std::uint32_t>(prepared.image_size.height),
                             input.clip_boxes ? heads::Edges::kClip : heads::Edges::kKeep};
  auto kept = candidates_of(head, index, prepared.placement, request.confidence);
  if (layout_ != heads::HeadLayout::kFinal) {
    const heads::NmsRule rule{request.iou, nms_kind_, beta_nms_};
    kept = heads::suppress(kept, rule, request.max_detections,
                           [&target](const heads::Candidate& candidate) { return stays(candidate, target); });
  }
  auto detections = heads::to_detections(kept, target, request.max_detections);
  if (input.options.annotate) return annotated(input, prepared.image_size, detections);
  return common::Prediction(common::DetectionList{target.width, target.height, std::move(detections)});
}

Outcome<common::Prediction> DetectModel::annotated(const Input& input, image::Size size,
                                                   std::span<const common::Detection> detections) const {
  // Drawing and encoding a larger picture would take seconds.
  constexpr std::int64_t kMostPixels = 16'000'000;
  if (std::int64_t{size.width} * size.height > kMostPixels) {
    return Error{ErrorCode::kImageTooLarge, "annotate takes pictures of at most 16 megapixels"};
  }
  const auto picture = decode_whole(input);
  if (!picture) return picture.error();
  const auto type = input.options.png ? common::FileType::kPng : common::FileType::kJpeg;
  auto bytes = image::annotate(*picture, detections, description().labels, type);
  if (!bytes) return bytes.error();
  if (bytes->size() > config().limits.max_result_bytes) {
    return Error{ErrorCode::kImageTooLarge, "the annotated picture has " + std::to_string(bytes->size()) +
                                                " bytes, but the model's limits.max_result_bytes is " +
                                                std::to_string(config().limits.max_result_bytes)};
  }
  return common::Prediction(common::EncodedFile{type, *std::move(bytes)});
}

// Warns about settings of suppression, which have no effect for a network that suppresses boxes itself.
void warn_of_idle_settings(const common::ModelConfig& config) {
  const auto warn = [&config](std::string_view key) {
    common::log_warning("model {}: {} has no effect, because the network suppresses boxes itself", config.name, key);
  };
  if (config.detect.iou != common::DetectConfig{}.iou) warn("detect.iou");
  if (config.detect.multi_label != common::AutoBool::kAuto) warn("detect.multi_label");
}

}  // namespace

Outcome<std::unique_ptr<Model>> make_detect_model(const common::ModelConfig& config, LoadedNetwork loaded) {
  if (config.preprocess.crop != common::CropMode::kNone) {
    return bad_model(config.name + ": preprocess.crop: a detector uses the whole image, so only none is allowed");
  }
  if (loaded.labels.empty()) return bad_model(config.name + ": the file with the class names is missing in the config");
  auto class_kept = class_filter(config, loaded.labels);
  if (!class_kept) return std::move(class_kept).error();
  if (loaded.rules.layout == heads::HeadLayout::kFinal) warn_of_idle_settings(config);
  return std::unique_ptr<Model>(
      std::make_unique<DetectModel>(config, std::move(loaded), std::move(class_kept).value()));
}

}  // namespace yolod::model
