#include "app/api/roboflow/infer_request.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <utility>

#include "app/api/request_values.hpp"
#include "common/text.hpp"

namespace yolod::app::api::roboflow {
namespace {

namespace json = boost::json;
using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr float kPercent = 100;

Error bad(std::string what) { return {ErrorCode::kBadRequest, std::move(what)}; }

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

// Roboflow takes values of 1 and more as percent.
Outcome<void> read_fraction(std::string_view name, float number, std::optional<float>& fraction) {
  if (number >= 1) number /= kPercent;
  if (!(number >= 0 && number <= 1)) return invalid(name, "a number from 0 to 1, or a percent from 1 to 100");
  fraction = number;
  return {};
}

Outcome<void> read_fraction(std::string_view name, std::string_view text, std::optional<float>& fraction) {
  if (text == "default" || text == "best") return {};  // the server's own choice
  const auto number = parse_whole<float>(text);
  if (!number) return invalid(name, "a number");
  return read_fraction(name, *number, fraction);
}

Outcome<void> read_count(std::string_view name, std::optional<std::uint32_t> number,
                         std::optional<std::uint32_t>& count) {
  if (number.value_or(0) == 0) return invalid(name, "a whole number of at least 1");
  count = number;
  return {};
}

Outcome<void> add_class(std::string_view label, std::vector<std::string>& classes) {
  if (label.empty()) return {};
  if (classes.size() == kMostClasses) {
    return bad("a request may name at most " + std::to_string(kMostClasses) + " classes");
  }
  classes.emplace_back(label);
  return {};
}

Outcome<void> read_classes(std::string_view text, std::vector<std::string>& classes) {
  while (!text.empty()) {
    const auto comma = text.find(',');
    if (auto added = add_class(common::trimmed(text.substr(0, comma)), classes); !added) return added;
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return {};
}

Outcome<void> read_parameter(std::string_view name, std::string_view value, InferRequest& request) {
  if (value.empty()) return {};
  if (name == "confidence") return read_fraction(name, value, request.confidence);
  if (name == "overlap") return read_fraction(name, value, request.iou);
  if (name == "max_detections") return read_count(name, parse_whole<std::uint32_t>(value), request.max_detections);
  if (name == "classes") return read_classes(value, request.classes);
  if (name == "image") return bad("the picture must be the body, because this server opens no addresses");
  if (name == "image_type" && value != "base64") return invalid(name, "base64");
  if (name == "format") {
    if (value != "json" && value != "image") return invalid(name, "json or image");
    request.wants_picture = value == "image";
  }
  return {};
}

// ---- JSON ----

// Returns the member, or null if it is absent or null.
const json::value* member(const json::object& object, std::string_view name) {
  const json::value* const found = object.if_contains({name.data(), name.size()});
  return found == nullptr || found->is_null() ? nullptr : found;
}

Outcome<void> read_fraction(const json::object& object, std::string_view name, std::optional<float>& fraction) {
  const json::value* const value = member(object, name);
  if (value == nullptr) return {};
  if (value->is_string()) return read_fraction(name, view(value->get_string()), fraction);
  if (!value->is_number()) return invalid(name, "a number");
  return read_fraction(name, static_cast<float>(value->to_number<double>()), fraction);
}

Outcome<void> read_image(const json::value& value, std::size_t value_count, std::vector<std::size_t>& images) {
  if (!value.is_object()) return bad("'image' must be an object such as {\"type\": \"base64\", \"value\": \"...\"}");
  const json::object& image = value.get_object();
  const json::value* const type = member(image, "type");
  if (type == nullptr || !type->is_string() || view(type->get_string()) != "base64") {
    return bad("the 'type' of an image must be base64");
  }
  const json::value* const text = member(image, "value");
  if (text == nullptr || !text->is_int64() || static_cast<std::uint64_t>(text->get_int64()) >= value_count) {
    return bad("the 'value' of an image must be a text, and its name must have no escapes");
  }
  const auto number = static_cast<std::size_t>(text->get_int64());
  // A client can write a number in place of a text, under a name with escapes. Two images may not share their bytes.
  if (std::find(images.begin(), images.end(), number) != images.end())
    return bad("each image must have its own 'value'");
  images.push_back(number);
  return {};
}

Outcome<void> read_images(const json::object& object, std::size_t value_count, InferRequest& request) {
  const json::value* const image = member(object, "image");
  if (image == nullptr) return bad("'image' is missing");
  if (!image->is_array()) return read_image(*image, value_count, request.images);
  request.is_list = true;
  const json::array& list = image->get_array();
  if (list.empty() || list.size() > kMostImages) {
    return bad("'image' must have 1 to " + std::to_string(kMostImages) + " images");
  }
  for (const json::value& one : list) {
    if (auto read = read_image(one, value_count, request.images); !read) return read;
  }
  return {};
}

Outcome<void> read_class_filter(const json::object& object, std::vector<std::string>& classes) {
  const json::value* const filter = member(object, "class_filter");
  if (filter == nullptr) return {};
  if (!filter->is_array()) return bad("'class_filter' must be a list of labels");
  for (const json::value& label : filter->get_array()) {
    if (!label.is_string()) return bad("'class_filter' must be a list of labels");
    if (auto added = add_class(view(label.get_string()), classes); !added) return added;
  }
  return {};
}

}  // namespace

Outcome<InferRequest> parse_query(const http::RequestTarget::Query& query) {
  InferRequest request;
  for (const auto& [name, value] : query) {
    if (auto read = read_parameter(name, value, request); !read) return read.error();
  }
  return request;
}

Outcome<InferRequest> parse_json(std::string_view skeleton, std::size_t value_count, std::string& api_key) {
  json::error_code failure;
  const json::value value = json::parse({skeleton.data(), skeleton.size()}, failure);
  if (failure || !value.is_object()) return bad("the body is not a JSON object");
  const json::object& object = value.get_object();
  const json::value* const key = member(object, "api_key");
  if (key != nullptr && key->is_string()) api_key = view(key->get_string());

  InferRequest request;
  const json::value* const id = member(object, "model_id");
  if (id == nullptr || !id->is_string()) return bad("'model_id' is missing, or not a text");
  request.model_id = view(id->get_string());
  if (auto read = read_fraction(object, "confidence", request.confidence); !read) return read.error();
  if (auto read = read_fraction(object, "iou_threshold", request.iou); !read) return read.error();
  if (const json::value* const most = member(object, "max_detections")) {
    const bool is_count = most->is_int64() && most->get_int64() > 0 && most->get_int64() <= UINT32_MAX;
    const auto number = is_count ? std::optional(static_cast<std::uint32_t>(most->get_int64())) : std::nullopt;
    if (auto read = read_count("max_detections", number, request.max_detections); !read) return read.error();
  }
  if (auto read = read_class_filter(object, request.classes); !read) return read.error();
  if (auto read = read_images(object, value_count, request); !read) return read.error();
  return request;
}

}  // namespace yolod::app::api::roboflow
