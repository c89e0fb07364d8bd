// How well a detector's answers agree with labelled pictures: average precision, as COCO and as Darknet measure it.
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/domain/prediction.hpp"

namespace yolod::model::eval {

// An object that is there.
struct Truth {
  std::uint32_t class_id{0};
  common::Box box;
};

// One picture: what is in it and what was found, boxes in the same units. Class ids must be below the class count.
struct JudgedImage {
  std::vector<Truth> truths;
  std::vector<common::Detection> detections;
};

// Fractions, 0 to 1. Absent: the metric says nothing of it.
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

// COCO's "AP" and "AP50": areas all, 100 detections of a class in a picture at most, precision read at the 101 recalls
// 0, 0.01 ... 1. A class without truths has no score and no part in the mean.
// Source: cocodataset/cocoapi, PythonAPI/pycocotools/cocoeval.py; every truth counts as not crowded.
[[nodiscard]] Evaluation evaluate_as_coco(std::span<const JudgedImage> images, std::size_t class_count);

// The mAP@0.50 of Darknet's `detector map`: a detection counts for the truth of its class that it overlaps most, if by
// more than 0.5 and if no better detection has it already; the whole area under the curve, at each recall that occurs;
// a class without truths scores 0 and counts in the mean. There is no ap50_95.
// Source: AlexeyAB/darknet, src/detector.c, validate_detector_map().
[[nodiscard]] Evaluation evaluate_as_darknet(std::span<const JudgedImage> images, std::size_t class_count);

}  // namespace yolod::model::eval
