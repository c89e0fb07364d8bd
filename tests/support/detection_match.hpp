// Compares two programs' detections of one picture.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace yolod::tests {

// In pixels of the picture, clipped to it.
struct LabelledBox {
  std::string label;
  double confidence{0};
  double x_min{0};
  double y_min{0};
  double x_max{0};
  double y_max{0};
};

struct MatchLimits {
  double confidence{0.02};      // may differ by so much
  double iou{0.95};             // boxes overlap by so much,
  double pixels{2};             // or each edge is that near
  double optional_below{0.27};  // an object below it on one list may be absent from the other
};

// What is on one list and not on the other, a line each; empty: they agree.
[[nodiscard]] std::vector<std::string> differences(const std::vector<LabelledBox>& expected,
                                                   const std::vector<LabelledBox>& actual,
                                                   const MatchLimits& limits = {});

// The `predictions` of an answer to /predict.
[[nodiscard]] std::vector<LabelledBox> predictions_of(const boost::json::value& answer);

// `objects` of a photo in model.json: Darknet's, with centre and size as fractions of the picture.
[[nodiscard]] std::vector<LabelledBox> darknet_objects(const boost::json::value& photo, double image_width,
                                                       double image_height);

}  // namespace yolod::tests
