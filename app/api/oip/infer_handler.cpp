#include "app/api/oip/infer_handler.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "app/api/oip/oip_error.hpp"
#include "app/api/oip/oip_exchange.hpp"
#include "app/api/option_limits.hpp"
#include "app/api/request_values.hpp"
#include "app/http/characters.hpp"
#include "common/text.hpp"

namespace yolod::app::api::oip {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;
using common::oip::DataType;
using common::oip::InferInput;
using common::oip::JsonSplitter;

constexpr std::size_t kLengthBytes = 4;  // the length before each element of a BYTES tensor

Error bad(std::string what) { return {ErrorCode::kBadRequest, std::move(what)}; }

std::string in_quotes(std::string_view name) { return "'" + common::printable(name, 100) + "'"; }

std::uint32_t length_at(std::span<const std::byte> bytes) {
  std::uint32_t length = 0;  // little-endian, as every machine that yolod runs on
  std::memcpy(&length, bytes.data(), sizeof length);
  return length;
}

// Returns how many pictures a tensor of this shape has: [n] or [n, 1]. Returns 0 for any other shape.
std::size_t picture_count(const InferInput& input) {
  const bool is_list = input.shape.size() == 1 || (input.shape.size() == 2 && input.shape[1] == 1);
  return is_list ? static_cast<std::size_t>(input.shape.front()) : 0;
}

// Returns whether the text has only texts, commas, brackets and blanks. REQUIRES: all of its strings are in `value`.
bool has_only_texts(const JsonSplitter::Value& value) {
  constexpr std::size_t kMostBetween = 4096;  // so that the check is quick for any text
  const char* at = value.text.data();
  const auto are_blank = [&](const char* end) {
    const std::string_view between(at, static_cast<std::size_t>(end - at));
    return between.size() <= kMostBetween && between.find_first_not_of("[], \t\r\n") == std::string_view::npos;
  };
  for (const std::string_view text : value.strings) {
    if (!are_blank(text.data() - 1)) return false;
    at = text.data() + text.size() + 1;
  }
  return are_blank(value.text.data() + value.text.size());
}

bool is_known(const std::vector<TensorView>& tensors, std::string_view name) {
  return std::any_of(tensors.begin(), tensors.end(), [name](const TensorView& tensor) { return tensor.name == name; });
}

// Workers can compute with these types.
bool is_computable(DataType type) {
  switch (type) {
    case DataType::kUint16:
    case DataType::kUint32:
    case DataType::kUint64:
    case DataType::kBytes: return false;
    default: return true;
  }
}

}  // namespace

Outcome<void> InferHandler::begin(const http::RequestView& request, api::Plan& plan, http::Response& response) {
  const http::RequestHead& head = request.head;
  plan_ = &plan;
  began_ = request.began;
  auto model = find_model(models_, request.captures);
  if (!model) return model.error();
  plan.model = *std::move(model);
  if (!head.content_encoding.empty() && !http::equal_ignoring_case(head.content_encoding, "identity")) {
    write_failure(response, boost::beast::http::status::not_implemented,
                  "unable to decompress the request: its Content-Encoding is not supported");
    http::add_field(response, "Accept-Encoding", "identity");
    plan.is_answered = true;
    return {};
  }
  if (!head.inference_header_length.empty()) {
    json_bytes_ = api::parse_whole<std::uint64_t>(head.inference_header_length);
    if (!json_bytes_) {
      return bad("Inference-Header-Content-Length must be a whole number, got: " +
                 common::printable(head.inference_header_length, 40));
    }
  }
  const auto timeout = api::parse_request_timeout(head.request_timeout);
  if (!timeout) return timeout.error();
  if (*timeout) plan.urgency.deadline = began_ + **timeout;
  return {};
}

Outcome<bool> InferHandler::ready(Bytes body, std::size_t budget_bytes, api::Calls& calls) {
  if (!splitter_) {
    view_ = view_of(*plan_->model->config, *plan_->model->dispatcher.description());
    if (json_bytes_ == std::uint64_t{0}) {
      if (auto made = make_raw_call(body, calls); !made) return made.error();
      return true;
    }
    if (json_bytes_.value_or(0) > body.size()) {
      return bad("Inference-Header-Content-Length is " + std::to_string(*json_bytes_) + ", but the body has " +
                 std::to_string(body.size()) + " bytes");
    }
    const std::string_view text(reinterpret_cast<const char*>(body.data()), json_bytes_.value_or(body.size()));
    splitter_.emplace(text, JsonSplitter::End::kOfText);
  }
  const auto split = splitter_->step(budget_bytes);
  if (!split || !*split) return split;
  auto request = common::oip::parse_infer_request(splitter_->skeleton(), splitter_->values().size());
  if (!request) return request.error();
  request_ = *std::move(request);
  if (auto made = make_calls(body, body.subspan(json_bytes_.value_or(body.size())), calls); !made) return made.error();
  return true;
}

Outcome<void> InferHandler::make_raw_call(Bytes body, api::Calls& calls) {
  if (!view_.takes_pictures) {
    return bad("a raw request needs a model with one input of a known shape: send JSON before the bytes");
  }
  request_.binary_outputs = true;
  calls.push_back({body, common::ContentKind::kFile, options_});
  return {};
}

Outcome<void> InferHandler::check_request() {
  if (request_.timeout_us != 0) {
    // The longest wait is a day, so that the sum cannot overflow.
    constexpr std::uint64_t kMostUs = 86'400'000'000;
    const std::chrono::microseconds timeout(std::min(request_.timeout_us, kMostUs));
    plan_->urgency.deadline = std::min(plan_->urgency.deadline, began_ + timeout);
  }
  if (request_.high_priority) plan_->urgency.priority = schedule::Priority::kHigh;
  options_.confidence = request_.confidence;
  options_.iou = request_.iou;
  options_.max_detections = request_.max_detections;
  options_.top_k = request_.top_k;
  options_.tensors = !view_.takes_pictures;
  if (auto within = api::limit_to(*plan_->model->config, options_); !within) return within;
  for (const auto& output : request_.outputs) {
    if (!view_.open_outputs && !is_known(view_.outputs, output.name)) {
      return bad("unexpected inference output " + in_quotes(output.name) + " for model " +
                 in_quotes(plan_->model->config->name));
    }
    if (output.classification == 0) continue;
    const common::ModelConfig& config = *plan_->model->config;
    if (config.task != common::Task::kClassify || output.name != "probabilities") {
      return bad("output " + in_quotes(output.name) + " cannot be given as a classification");
    }
    options_.top_k = std::max(output.classification, options_.top_k.value_or(config.classify.top_k));
  }
  if (view_.takes_pictures && view_.outputs.size() == 1 && view_.outputs.front().type == DataType::kBytes) {
    const bool binary = request_.outputs.empty() ? request_.binary_outputs : request_.outputs[0].binary.value_or(false);
    if (!binary) return bad("output 'image' is a picture, which JSON cannot carry: use the binary data format");
  }
  return {};
}

Outcome<void> InferHandler::check_inputs() const {
  const std::string model = in_quotes(plan_->model->config->name);
  if (request_.inputs.size() < view_.inputs.size() ||
      (request_.inputs.size() > view_.inputs.size() && !view_.open_inputs)) {
    return bad("expected " + std::string(view_.open_inputs ? "at least " : "") + std::to_string(view_.inputs.size()) +
               " inputs but got " + std::to_string(request_.inputs.size()) + " inputs for model " + model);
  }
  for (const InferInput& input : request_.inputs) {
    if (!view_.open_inputs && !is_known(view_.inputs, input.name)) {
      return bad("unexpected inference input " + in_quotes(input.name) + " for model " + model);
    }
    const bool fits = view_.takes_pictures ? input.type == DataType::kBytes : is_computable(input.type);
    if (!fits) {
      return bad("inference input " + in_quotes(input.name) + " data-type is '" + std::string(to_string(input.type)) +
                 "', but model " + model +
                 (view_.takes_pictures ? " expects 'BYTES'" : " expects numbers of a type that LibTorch has"));
    }
  }
  return {};
}

Outcome<void> InferHandler::make_calls(Bytes body, Bytes binary, api::Calls& calls) {
  if (auto checked = check_request(); !checked) return checked;
  if (auto checked = check_inputs(); !checked) return checked;
  if (request_.inputs.empty()) return bad("the request has no inputs");
  // A single input may leave out its size if the bytes after the JSON are its values.
  InferInput& first = request_.inputs.front();
  const bool is_implied = request_.inputs.size() == 1 && !first.data && !first.binary_bytes && json_bytes_;
  if (is_implied) {
    const std::uint64_t bytes = first.element_count * element_bytes(first.type);
    const bool fits =
        first.type == DataType::kBytes || (first.element_count <= binary.size() && bytes == binary.size());
    if (!fits) return bad("unexpected size " + std::to_string(binary.size()) + " for input " + in_quotes(first.name));
    first.binary_bytes = binary.size();
  }
  for (const InferInput& input : request_.inputs) {
    if (input.data || input.binary_bytes) continue;
    return bad("input " + in_quotes(input.name) + " must have 'data' or the parameter 'binary_data_size'");
  }
  const auto expected = request_.binary_bytes();
  if (!expected || *expected > binary.size()) {
    return bad("unexpected end of the input data for model " + in_quotes(plan_->model->config->name));
  }
  if (*expected < binary.size()) {
    return bad("unexpected additional input data for model " + in_quotes(plan_->model->config->name));
  }
  if (view_.takes_pictures) {
    if (is_implied && first.element_count == 1 && picture_count(first) == 1) {
      calls.push_back({binary, common::ContentKind::kFile, options_});
      return {};
    }
    return add_pictures(binary, calls);
  }
  calls.push_back({body, common::ContentKind::kOip, options_});
  return {};
}

Outcome<void> InferHandler::add_pictures(Bytes binary, api::Calls& calls) const {
  const InferInput& input = request_.inputs.front();
  const std::size_t count = picture_count(input);
  if (count == 0) {
    return bad("unexpected shape for input " + in_quotes(input.name) + " for model " +
               in_quotes(plan_->model->config->name) + ". Expected [-1,1] or [-1]");
  }
  if (count > api::kMostCalls) {
    return bad("inference request batch-size must be <= " + std::to_string(api::kMostCalls) + " for " +
               in_quotes(plan_->model->config->name));
  }
  return input.data ? add_text_pictures(count, calls) : add_binary_pictures(binary, count, calls);
}

Outcome<void> InferHandler::add_binary_pictures(Bytes binary, std::size_t count, api::Calls& calls) const {
  for (std::size_t i = 0; i < count; ++i) {
    if (binary.size() < kLengthBytes || length_at(binary) > binary.size() - kLengthBytes) {
      return bad("incomplete string data for inference input 'image', expecting string " + std::to_string(i) + " of " +
                 std::to_string(count));
    }
    const std::uint32_t length = length_at(binary);
    if (length == 0) return bad("picture " + std::to_string(i) + " is empty");
    calls.push_back({binary.subspan(kLengthBytes, length), common::ContentKind::kFile, options_});
    binary = binary.subspan(kLengthBytes + length);
  }
  if (!binary.empty()) {
    return bad("unexpected number of string elements for inference input 'image', expecting " + std::to_string(count));
  }
  return {};
}

Outcome<void> InferHandler::add_text_pictures(std::size_t count, api::Calls& calls) const {
  const JsonSplitter::Value& value = splitter_->values()[*request_.inputs.front().data];
  if (value.string_count != count || !has_only_texts(value)) {
    return bad("'data' of input 'image' must have " + std::to_string(count) + " texts: pictures in base64");
  }
  for (const std::string_view text : value.strings) {
    if (text.empty()) return bad("a picture is empty");
    calls.push_back({std::as_bytes(std::span(text.data(), text.size())), common::ContentKind::kBase64, options_});
  }
  return {};
}

bool InferHandler::render(const Result& result, http::Response& response) {
  if (!answer_) answer_.emplace(request_, view_, std::string(result.model), plan_->model->generation);
  return answer_->write_some(result.answers, response);
}

void InferHandler::write_error(const Error& error, std::uint32_t retry_after_seconds, http::Response& response) {
  oip::write_error(response, error, retry_after_seconds);
}

}  // namespace yolod::app::api::oip
