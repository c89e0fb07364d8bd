#include "model/rules/picture_rules.hpp"

namespace yolod::model {

image::Rounding rounding_of(const PictureRules& rules) {
  switch (rules.sampling) {
    case image::Sampling::kCornersAligned: return image::Rounding::kTruncated;
    case image::Sampling::kCentersAligned:
    case image::Sampling::kAveraged: break;
  }
  return image::Rounding::kHalfToEven;
}

PictureRules with_config(PictureRules rules, const common::ModelConfig& config) {
  switch (config.resize) {
    case common::ResizeMode::kStretch: rules.fit = image::Fit::kStretch; break;
    case common::ResizeMode::kLetterbox: rules.fit = image::Fit::kLetterbox; break;
    case common::ResizeMode::kAuto: break;
  }
  if (config.preprocess.crop == common::CropMode::kCenter) rules.fit = image::Fit::kCrop;
  if (config.detect.multi_label != common::AutoBool::kAuto)
    rules.multi_label = config.detect.multi_label == common::AutoBool::kTrue;
  return rules;
}

}  // namespace yolod::model
