#include "app/api/option_limits.hpp"

#include <string>

#include "app/api/request_values.hpp"

namespace yolod::app::api {

using common::Error;
using common::ErrorCode;
using common::Outcome;

Outcome<void> limit_to(const common::ModelConfig& model, const common::PredictionOptions& options) {
  const bool for_detectors = options.confidence || options.iou || options.max_detections;
  if (for_detectors && model.task != common::Task::kDetect) {
    return Error{ErrorCode::kInvalidParameter, "confidence, iou and max_detections are for models that detect"};
  }
  if (options.annotate && (model.task != common::Task::kDetect || !model.detect.annotate)) {
    return Error{ErrorCode::kInvalidParameter, model.task == common::Task::kDetect
                                                   ? "annotate needs detect.annotate: true in the model's config"
                                                   : "annotate is for models that detect"};
  }
  if (options.top_k && model.task != common::Task::kClassify) {
    return Error{ErrorCode::kInvalidParameter, "top_k is for models that classify"};
  }
  if (options.max_detections && *options.max_detections > model.detect.max_detections) {
    return invalid("max_detections", "at most " + std::to_string(model.detect.max_detections) + " for this model");
  }
  return {};
}

}  // namespace yolod::app::api
