// Compares two programs' detections of one picture.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace yolod::tests {

// The box is in pixels of the picture and clipped to it.
struct LabelledBox {
  std::string label;
  double confidence{0};
  double x_min{0};
  double y_min{0};
  double x_max{0};
  double y_max{0};
};

struct MatchLimits {
  double confidence{0.02};      // largest difference of confidences
  double iou{0.95};             // lowest overlap of matching boxes, or
  double pixels{2};             // largest distance between their edges
  double optional_below{0.27};  // an object below this confidence may be absent from the other list
};

// Returns a line for each object that only one list has, so the result is empty if the lists agree.
[[nodiscard]] std::vector<std::string> differences(const std::vector<LabelledBox>& expected,
                                                   const std::vector<LabelledBox>& actual,
                                                   const MatchLimits& limits = {});

// Returns the `predictions` of an answer to /predict.
[[nodiscard]] std::vector<LabelledBox> predictions_of(const boost::json::value& answer);

// Returns the `objects` of a photo in model.json: Darknet's detections, with centre and size as fractions of the
// picture.
[[nodiscard]] std::vector<LabelledBox> darknet_objects(const boost::json::value& photo, double image_width,
                                                       double image_height);

}  // namespace yolod::tests
