// The options of a request of Roboflow's clients, from the query or from JSON:
//
//   POST /{project}/{version}?api_key=K&confidence=40&overlap=30&max_detections=300&classes=person,car&format=json
//   POST /infer/object_detection
//     {"api_key":"K","model_id":"project/1","image":{"type":"base64","value":"..."},"confidence":0.4,
//      "iou_threshold":0.3,"max_detections":300,"class_filter":["person"]}
//
// `image` may also be a list. The parser ignores the options of other tasks, because clients send the options of all
// tasks. The names come from inference_sdk/http/entities.py in github.com/roboflow/inference. The bytes come from
// outside. Pure functions; any thread may call them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/http/request_target.hpp"
#include "common/json_splitter.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::roboflow {

// Splits the pictures off.
inline constexpr common::JsonSplitter::Rule kPictureRule{
    {"value"}, {"{{", "{[{"}, common::JsonSplitter::Rule::Kind::kText};

// A request has at most this many pictures.
inline constexpr std::size_t kMostImages = 64;
// A request names at most this many labels.
inline constexpr std::size_t kMostClasses = 64;

struct InferRequest {
  std::string model_id;  // from JSON
  std::optional<float> confidence;
  std::optional<float> iou;
  std::optional<std::uint32_t> max_detections;
  std::vector<std::string> classes;  // only these labels; empty: all
  bool wants_picture{false};         // the answer is the picture with its objects
  std::vector<std::size_t> images;   // the numbers of JsonSplitter's values
  bool is_list{false};               // the answer is a list
};

// An Error is kInvalidParameter. The key in the query is not read here (Route::key_in_query).
[[nodiscard]] common::Outcome<InferRequest> parse_query(const http::RequestTarget::Query& query);

// Parses the skeleton that JsonSplitter has made with kPictureRule. `value_count` is the count of the splitter's
// values. An Error is kBadRequest or kInvalidParameter. `api_key` is set to the key of the JSON, also with an Error.
[[nodiscard]] common::Outcome<InferRequest> parse_json(std::string_view skeleton, std::size_t value_count,
                                                       std::string& api_key);

}  // namespace yolod::app::api::roboflow
