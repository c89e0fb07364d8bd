#include "app/api/doods/detect_request.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

namespace yolod::app::api::doods {
namespace {

namespace json = boost::json;
using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::string_view kEveryLabel = "*";
constexpr float kPercent = 100;

Error bad(std::string what) { return {ErrorCode::kBadRequest, std::move(what)}; }

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

// Returns the member, or null if it is absent or null.
const json::value* member(const json::object& object, std::string_view name) {
  const json::value* const found = object.if_contains({name.data(), name.size()});
  return found == nullptr || found->is_null() ? nullptr : found;
}

Outcome<void> read_text(const json::object& object, std::string_view name, std::string& text) {
  const json::value* const value = member(object, name);
  if (value == nullptr) return {};
  if (!value->is_string()) return bad("'" + std::string(name) + "' must be a text");
  text = view(value->get_string());
  return {};
}

Outcome<float> number_of(const json::value* value, const std::string& name) {
  const double number = value != nullptr && value->is_number() ? value->to_number<double>() : NAN;
  if (!std::isfinite(number)) return bad(name + " must be a number");
  return static_cast<float>(number);
}

// `left` is how many percents the request may still have.
Outcome<void> read_thresholds(const json::object& object, Thresholds& thresholds, std::size_t& left) {
  const json::value* const detect = member(object, "detect");
  if (detect == nullptr) return {};
  if (!detect->is_object()) return bad("'detect' must be an object of labels and percents");
  if (detect->get_object().size() > left) {
    return bad("a request may have at most " + std::to_string(kMostPercents) + " percents");
  }
  left -= detect->get_object().size();
  for (const auto& member : detect->get_object()) {
    const std::string_view label(member.key().data(), member.key().size());
    const auto percent = number_of(&member.value(), "a percent in 'detect'");
    if (!percent) return percent.error();
    const float least = *percent / kPercent;
    if (label == kEveryLabel) {
      thresholds.of_others = least;
    } else {
      thresholds.by_label.insert_or_assign(std::string(label), least);
    }
  }
  return {};
}

Outcome<Region> read_region(const json::value& value, std::size_t& left) {
  if (!value.is_object()) return bad("each of the 'regions' must be an object");
  const json::object& object = value.get_object();
  Region region;
  struct Edge {
    const char* name;
    float& edge;
  };
  for (const auto& [name, edge] : {Edge{"top", region.box.y_min}, Edge{"left", region.box.x_min},
                                   Edge{"bottom", region.box.y_max}, Edge{"right", region.box.x_max}}) {
    const auto number = number_of(member(object, name), std::string("'") + name + "' of a region");
    if (!number) return number.error();
    edge = *number;
  }
  if (const json::value* const covers = member(object, "covers")) {
    if (!covers->is_bool()) return bad("'covers' of a region must be true or false");
    region.covers = covers->get_bool();
  }
  if (auto read = read_thresholds(object, region.detect, left); !read) return read.error();
  return region;
}

Outcome<void> read_regions(const json::object& object, std::vector<Region>& regions, std::size_t& left) {
  const json::value* const list = member(object, "regions");
  if (list == nullptr) return {};
  if (!list->is_array()) return bad("'regions' must be a list");
  if (list->get_array().size() > kMostRegions) {
    return bad("a request may have at most " + std::to_string(kMostRegions) + " regions");
  }
  for (const json::value& value : list->get_array()) {
    auto region = read_region(value, left);
    if (!region) return region.error();
    regions.push_back(*std::move(region));
  }
  return {};
}

// A client must not believe that the server did something that it ignored.
Outcome<void> refuse_other_work(const json::object& object) {
  std::string image;
  if (auto read = read_text(object, "image", image); !read) return read;
  if (!image.empty()) return bad("'image' must be empty: POST /predict?annotate=1 answers with a picture");
  const json::value* const preprocess = member(object, "preprocess");
  if (preprocess != nullptr && !(preprocess->is_array() && preprocess->get_array().empty())) {
    return bad("'preprocess' must be empty");
  }
  return {};
}

// An id may be a number.
Outcome<void> read_id(const json::object& object, std::string& id) {
  const json::value* const value = member(object, "id");
  if (value == nullptr || !value->is_int64()) return read_text(object, "id", id);
  id = std::to_string(value->get_int64());
  return {};
}

// Reads the other members.
Outcome<void> read_rest(const json::object& object, std::size_t value_count, DetectRequest& request) {
  if (auto read = read_text(object, "detector_name", request.detector); !read) return read;
  if (auto fine = refuse_other_work(object); !fine) return fine;
  std::size_t left = kMostPercents;
  if (auto read = read_thresholds(object, request.detect, left); !read) return read;
  if (auto read = read_regions(object, request.regions, left); !read) return read;
  const json::value* const data = member(object, "data");
  if (data == nullptr) return bad("'data' is missing: it must be a picture in base64");
  if (!data->is_int64() || static_cast<std::uint64_t>(data->get_int64()) >= value_count) {
    return bad("'data' must be a text, and its name must have no escapes");
  }
  request.data = static_cast<std::size_t>(data->get_int64());
  return {};
}

bool is_in(const common::Box& box, const Region& region) {
  const common::Box& all = region.box;
  if (region.covers) {
    return all.y_min <= box.y_min && all.x_min <= box.x_min && all.y_max >= box.y_max && all.x_max >= box.x_max;
  }
  return box.y_min <= all.y_max && box.x_min <= all.x_max && box.y_max >= all.y_min && box.x_max >= all.x_min;
}

}  // namespace

std::optional<float> Thresholds::find(std::string_view label) const {
  const auto found = by_label.find(label);
  return found == by_label.end() ? of_others : found->second;
}

float DetectRequest::least_confidence() const {
  float least = 1;
  const auto look_at = [&least](const Thresholds& thresholds) {
    for (const auto& threshold : thresholds.by_label) least = std::min(least, threshold.second);
    if (thresholds.of_others) least = std::min(least, *thresholds.of_others);
  };
  look_at(detect);
  for (const Region& region : regions) look_at(region.detect);
  return std::max(least, 0.F);
}

bool DetectRequest::wants(std::string_view label, float confidence, const common::Box& box) const {
  if (const auto threshold = detect.find(label); threshold && confidence >= *threshold) return true;
  return std::any_of(regions.begin(), regions.end(), [&](const Region& region) {
    if (!is_in(box, region)) return false;
    const auto threshold = region.detect.find(label);
    return threshold && confidence >= *threshold;
  });
}

Outcome<void> parse_detect_request(std::string_view skeleton, std::size_t value_count, DetectRequest& request) {
  json::error_code failure;
  const json::value value = json::parse({skeleton.data(), skeleton.size()}, failure);
  if (failure || !value.is_object()) return bad("could not parse request body");
  const json::object& object = value.get_object();
  if (auto read = read_id(object, request.id); !read) return read;
  DetectRequest rest;
  if (auto read = read_rest(object, value_count, rest); !read) return read;
  rest.id = std::move(request.id);
  request = std::move(rest);
  return {};
}

}  // namespace yolod::app::api::doods
