// Measures how well a detector's answers agree with labelled pictures: the average precision by the rules of COCO and
// of Darknet. Pure functions; any thread may call them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/domain/prediction.hpp"

namespace yolod::model::eval {

// A labelled object.
struct Truth {
  std::uint32_t class_id{0};
  common::Box box;
};

// The truths and detections of one picture, with boxes in the same units. Class ids must be below the class count.
struct JudgedImage {
  std::vector<Truth> truths;
  std::vector<common::Detection> detections;
};

// The values are fractions from 0 to 1, or nullopt if the metric does not define them.
struct Score {
  std::optional<double> ap50;     // at an IoU of 0.5
  std::optional<double> ap50_95;  // the mean at IoUs of 0.5, 0.55 ... 0.95
};

struct ClassScore {
  std::size_t truth_count{0};
  std::size_t detection_count{0};
  Score score;
};

struct Evaluation {
  Score mean;
  std::vector<ClassScore> classes;  // by class id
};

// COCO's "AP" and "AP50": all areas, at most 100 detections of a class in a picture, precision at the 101 recalls 0,
// 0.01 ... 1. A class without truths has no score and does not count in the mean. Source: cocodataset/cocoapi,
// PythonAPI/pycocotools/cocoeval.py; every truth counts as not crowded.
[[nodiscard]] Evaluation evaluate_as_coco(std::span<const JudgedImage> images, std::size_t class_count);

// The mAP@0.50 of Darknet's `detector map`. A detection matches the truth of its class that it overlaps most, if the
// overlap is more than 0.5 and no better detection has matched that truth. The score is the whole area under the
// curve, at each recall that occurs. A class without truths scores 0 and counts in the mean. There is no ap50_95.
// Source: AlexeyAB/darknet, src/detector.c, validate_detector_map().
[[nodiscard]] Evaluation evaluate_as_darknet(std::span<const JudgedImage> images, std::size_t class_count);

}  // namespace yolod::model::eval
