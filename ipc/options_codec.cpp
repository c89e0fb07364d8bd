#include "ipc/options_codec.hpp"

#include <cmath>
#include <limits>
#include <optional>

namespace yolod::ipc {

void encode_options(const common::PredictionOptions& options, RequestCell& cell) {
  constexpr float kAbsent = std::numeric_limits<float>::quiet_NaN();
  cell.confidence = options.confidence.value_or(kAbsent);
  cell.iou = options.iou.value_or(kAbsent);
  cell.max_detections = options.max_detections.value_or(kUnset);
  cell.top_k = options.top_k.value_or(kUnset);
  cell.flags =
      (options.png ? kFlagPng : 0U) | (options.json ? kFlagJson : 0U) | (options.annotate ? kFlagAnnotate : 0U);
}

common::PredictionOptions decode_options(const RequestCell& cell) {
  common::PredictionOptions options;
  if (!std::isnan(cell.confidence)) options.confidence = cell.confidence;
  if (!std::isnan(cell.iou)) options.iou = cell.iou;
  if (cell.max_detections != kUnset) options.max_detections = cell.max_detections;
  if (cell.top_k != kUnset) options.top_k = cell.top_k;
  options.png = (cell.flags & kFlagPng) != 0;
  options.json = (cell.flags & kFlagJson) != 0;
  options.annotate = (cell.flags & kFlagAnnotate) != 0;
  return options;
}

}  // namespace yolod::ipc
