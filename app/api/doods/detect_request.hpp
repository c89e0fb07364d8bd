// A request of DOODS' clients:
//
//   {"id":"7","detector_name":"default","data":"<base64>","detect":{"*":50,"person":60},
//    "regions":[{"top":0,"left":0,"bottom":1,"right":0.5,"detect":{"car":40},"covers":true}]}
//
// An object is in the answer if its confidence reaches the threshold of its label, or of * if its label has none, in
// `detect` or in a region. It must lie in the region if that has "covers", and otherwise only overlap it. The rules
// come from odrpc.py and doods.py in github.com/snowzach/doods2. The bytes come from outside. Pure functions; any
// thread may call them.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/domain/prediction.hpp"
#include "common/json_splitter.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::doods {

// Splits the picture off.
inline constexpr common::JsonSplitter::Rule kPictureRule{{"data"}, {"{"}, common::JsonSplitter::Rule::Kind::kText};

// A request has at most this many regions, and this many percents in all. They are read in well below 1 ms.
inline constexpr std::size_t kMostRegions = 64;
inline constexpr std::size_t kMostPercents = 1000;

// The least confidences, from 0 to 1.
struct Thresholds {
  std::map<std::string, float, std::less<>> by_label;
  std::optional<float> of_others;  // the threshold of *

  // Returns the threshold of the label, if it has one.
  [[nodiscard]] std::optional<float> find(std::string_view label) const;
  friend bool operator==(const Thresholds&, const Thresholds&) = default;
};

struct Region {
  common::Box box;  // in fractions of the picture
  Thresholds detect;
  bool covers{false};
};

struct DetectRequest {
  std::string id;        // empty: the answer has none
  std::string detector;  // empty: the default
  std::size_t data{0};   // the number of a value of JsonSplitter
  Thresholds detect;
  std::vector<Region> regions;

  // Returns the least of all thresholds, between 0 and 1. It is 1 without a threshold.
  [[nodiscard]] float least_confidence() const;
  // Returns whether an object is in the answer. `box` is in fractions of the picture.
  [[nodiscard]] bool wants(std::string_view label, float confidence, const common::Box& box) const;
};

// Parses the skeleton that JsonSplitter has made with kPictureRule to `request`, which is empty before. `value_count`
// is the count of the splitter's values. An Error is kBadRequest. Then `request` has only the id, if the JSON has one,
// because the answer has it too.
[[nodiscard]] common::Outcome<void> parse_detect_request(std::string_view skeleton, std::size_t value_count,
                                                         DetectRequest& request);

}  // namespace yolod::app::api::doods
