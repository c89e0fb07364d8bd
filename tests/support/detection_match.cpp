#include "tests/support/detection_match.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace yolod::tests {
namespace {

double area(const LabelledBox& box) {
  return std::max(0.0, box.x_max - box.x_min) * std::max(0.0, box.y_max - box.y_min);
}

double iou(const LabelledBox& a, const LabelledBox& b) {
  const double width = std::min(a.x_max, b.x_max) - std::max(a.x_min, b.x_min);
  const double height = std::min(a.y_max, b.y_max) - std::max(a.y_min, b.y_min);
  const double shared = std::max(0.0, width) * std::max(0.0, height);
  const double together = area(a) + area(b) - shared;
  return together > 0 ? shared / together : 0;
}

bool same_place(const LabelledBox& a, const LabelledBox& b, const MatchLimits& limits) {
  const bool edges_near = std::abs(a.x_min - b.x_min) <= limits.pixels &&
                          std::abs(a.y_min - b.y_min) <= limits.pixels &&
                          std::abs(a.x_max - b.x_max) <= limits.pixels && std::abs(a.y_max - b.y_max) <= limits.pixels;
  return edges_near || iou(a, b) >= limits.iou;
}

std::string describe(const char* list, const LabelledBox& box) {
  char text[200];
  std::snprintf(text, sizeof text, "only %s: %s %.3f [%.1f %.1f %.1f %.1f]", list, box.label.c_str(), box.confidence,
                box.x_min, box.y_min, box.x_max, box.y_max);
  return text;
}

LabelledBox box_of(const boost::json::object& entry, const char* label_key) {
  LabelledBox box;
  box.label = std::string(entry.at(label_key).as_string().c_str());
  box.confidence = entry.at("confidence").to_number<double>();
  return box;
}

}  // namespace

std::vector<std::string> differences(const std::vector<LabelledBox>& expected, const std::vector<LabelledBox>& actual,
                                     const MatchLimits& limits) {
  std::vector<bool> taken(actual.size(), false);
  std::vector<std::string> found;
  for (const auto& wanted : expected) {
    // Takes the best match, so that two objects close together are not exchanged.
    std::size_t best = actual.size();
    for (std::size_t i = 0; i < actual.size(); ++i) {
      const bool fits = !taken[i] && actual[i].label == wanted.label &&
                        std::abs(actual[i].confidence - wanted.confidence) <= limits.confidence &&
                        same_place(wanted, actual[i], limits);
      if (fits && (best == actual.size() || iou(wanted, actual[i]) > iou(wanted, actual[best]))) best = i;
    }
    if (best < actual.size()) {
      taken[best] = true;
    } else if (wanted.confidence >= limits.optional_below) {
      found.push_back(describe("expected", wanted));
    }
  }
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (!taken[i] && actual[i].confidence >= limits.optional_below) found.push_back(describe("found", actual[i]));
  }
  return found;
}

std::vector<LabelledBox> predictions_of(const boost::json::value& answer) {
  std::vector<LabelledBox> boxes;
  for (const auto& entry : answer.at("predictions").as_array()) {
    auto box = box_of(entry.as_object(), "label");
    const auto& edges = entry.at("box");
    box.x_min = edges.at("x_min").to_number<double>();
    box.y_min = edges.at("y_min").to_number<double>();
    box.x_max = edges.at("x_max").to_number<double>();
    box.y_max = edges.at("y_max").to_number<double>();
    boxes.push_back(box);
  }
  return boxes;
}

std::vector<LabelledBox> darknet_objects(const boost::json::value& photo, double image_width, double image_height) {
  std::vector<LabelledBox> boxes;
  for (const auto& entry : photo.at("objects").as_array()) {
    auto box = box_of(entry.as_object(), "name");
    const auto& place = entry.at("relative_coordinates");
    const double center_x = place.at("center_x").to_number<double>() * image_width;
    const double center_y = place.at("center_y").to_number<double>() * image_height;
    const double width = place.at("width").to_number<double>() * image_width;
    const double height = place.at("height").to_number<double>() * image_height;
    box.x_min = std::clamp(center_x - width / 2, 0.0, image_width);
    box.y_min = std::clamp(center_y - height / 2, 0.0, image_height);
    box.x_max = std::clamp(center_x + width / 2, 0.0, image_width);
    box.y_max = std::clamp(center_y + height / 2, 0.0, image_height);
    boxes.push_back(box);
  }
  return boxes;
}

}  // namespace yolod::tests
