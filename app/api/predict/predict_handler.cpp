#include "app/api/predict/predict_handler.hpp"

#include <array>
#include <boost/json/parse.hpp>
#include <utility>

#include "app/api/native_error.hpp"
#include "app/api/option_limits.hpp"
#include "app/api/request_values.hpp"
#include "app/http/characters.hpp"
#include "app/http/content_negotiation.hpp"
#include "common/awake_clock.hpp"
#include "common/text.hpp"

namespace yolod::app::api::predict {
namespace {

namespace json = boost::json;
using common::AwakeClock;
using common::Error;
using common::ErrorCode;
using common::JsonSplitter;
using common::Outcome;

constexpr std::string_view kImage = "image";
constexpr std::string_view kImages = "images";
// A list of answers has at most this many detections, so that one request does not take hundreds of megabytes.
constexpr std::size_t kMostDetections = 64'000;

Error bad(std::string what) { return {ErrorCode::kBadRequest, std::move(what)}; }

}  // namespace

Outcome<void> PredictHandler::begin(const http::RequestView& request, api::Plan& plan, http::Response& /*response*/) {
  const http::RequestHead& head = request.head;
  plan_ = &plan;
  began_ = request.began;
  auto parameters = parse_predict_parameters(request.target);
  if (!parameters) return parameters.error();
  parameters_ = *std::move(parameters);
  auto model = models_.find(std::exchange(parameters_.model, {}));
  if (model == nullptr) return Error{ErrorCode::kUnknownModel, "there is no model of that name"};
  if (!head.accept.empty() && head.accept != "*/*") {  // most programs send one of these
    accepts_picture_ = http::prefers_picture(head.accept);
    parameters_.options.png = http::prefers_png(head.accept);
  }
  answer_coding_ = preferred_coding(head.accept_encoding);
  if (auto read = read_content_type(head); !read) return read;
  const bool may_have_options = boundary_ || is_json_;
  if (!may_have_options) {
    if (auto fits = check_route(*model->config); !fits) return fits;
  }
  plan.model = std::move(model);
  const auto timeout = api::parse_request_timeout(head.request_timeout);
  if (!timeout) return timeout.error();
  plan.urgency = {parameters_.priority, *timeout ? began_ + **timeout : AwakeClock::time_point::max()};
  if (may_have_options) return {};
  return settle(1);
}

Outcome<void> PredictHandler::settle(std::size_t picture_count) {
  if (!parameters_.model.empty()) {
    auto model = models_.find(parameters_.model);
    if (model == nullptr) return Error{ErrorCode::kUnknownModel, "there is no model of that name"};
    plan_->model = std::move(model);
  }
  plan_->urgency.priority = parameters_.priority;
  const common::ModelConfig& model = *plan_->model->config;
  if (auto fits = check_route(model); !fits) return fits;
  if (is_json_ && model.task == common::Task::kTensor) {
    return Error{ErrorCode::kUnsupportedMediaType, "this model takes tensors: send .npy or .npz as the body"};
  }
  if (is_list_ && (kind_ == Kind::kImages || model.task == common::Task::kTensor)) {
    return bad("a request to this model may have one file, because the answer is a file");
  }
  if (is_list_ && parameters_.annotate.value_or(false)) {
    return Error{ErrorCode::kInvalidParameter, "annotate needs a request with one picture, because the answer is one"};
  }
  const std::size_t most = parameters_.options.max_detections.value_or(model.detect.max_detections);
  if (is_list_ && model.task == common::Task::kDetect && most * picture_count > kMostDetections) {
    return invalid("max_detections", "at most " + std::to_string(kMostDetections / picture_count) +
                                         " for a request with so many pictures");
  }
  choose_answer(model, picture_count);
  return limit_to(model, parameters_.options);
}

void PredictHandler::choose_answer(const common::ModelConfig& model, std::size_t picture_count) {
  const bool can_draw = model.task == common::Task::kDetect && model.detect.annotate && picture_count == 1 && !is_list_;
  parameters_.options.annotate = parameters_.annotate.value_or(can_draw && accepts_picture_);
  if (kind_ == Kind::kPredictions && !parameters_.options.annotate) parameters_.options.png = false;
}

Outcome<void> PredictHandler::check_route(const common::ModelConfig& model) const {
  const bool makes_images = model.task == common::Task::kImage;
  if (kind_ == Kind::kImages && !makes_images) {
    return bad("this model does not produce images: use POST /predict, or another model with ?model=");
  }
  if (kind_ == Kind::kPredictions && makes_images) return bad("this model produces images: use PUT /image");
  return {};
}

Outcome<void> PredictHandler::read_content_type(const http::RequestHead& head) {
  if (!head.content_encoding.empty() && !http::equal_ignoring_case(head.content_encoding, "identity")) {
    constexpr std::size_t kLongestShown = 40;
    return Error{ErrorCode::kUnsupportedMediaType, "the Content-Encoding " +
                                                       common::printable(head.content_encoding, kLongestShown) +
                                                       " is not supported; send the picture without it"};
  }
  if (http::is_multipart(head.content_type)) {
    boundary_ = http::multipart_boundary(head.content_type);
    if (!boundary_) return bad("multipart: the Content-Type has no valid boundary");
  }
  is_json_ = http::is_media_type(head.content_type, "application/json");
  return {};
}

// ---- the body ----

Outcome<bool> PredictHandler::ready(std::span<const std::byte> body, std::size_t budget_bytes, api::Calls& calls) {
  if (boundary_ || is_json_) {
    const auto done = boundary_ ? read_form(body, budget_bytes, calls) : read_json(body, budget_bytes, calls);
    if (!done || !*done) return done;
    if (auto settled = settle(calls.size()); !settled) return settled.error();
  } else {
    calls.push_back({body, common::ContentKind::kFile});
  }
  for (api::Call& call : calls) call.options = parameters_.options;
  return true;
}

Outcome<bool> PredictHandler::read_form(std::span<const std::byte> body, std::size_t budget_bytes, api::Calls& calls) {
  if (!form_) {
    const std::size_t most = kind_ == Kind::kImages ? 1 : kMostCalls;
    form_ = std::make_unique<http::MultipartScanner>(
        body, *boundary_, http::FormRules{.name = kImage, .most_parts = most, .fields = predict_parameters()});
  }
  if (!form_->step(budget_bytes)) return false;
  const auto form = std::move(form_);
  if (!form->result()) return form->result().error();
  for (const std::string_view name : predict_parameters()) {
    const auto text = form->field(name);
    if (!text || text->empty()) continue;  // a browser sends an empty field for an input that was left empty
    if (auto read = read_parameter(name, *text, parameters_); !read) return read.error();
  }
  for (const auto part : form->parts()) calls.push_back({part, common::ContentKind::kFile});
  is_list_ = calls.size() > 1;
  return true;
}

Outcome<bool> PredictHandler::read_json(std::span<const std::byte> body, std::size_t budget_bytes, api::Calls& calls) {
  if (!json_) {
    const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
    const JsonSplitter::Rule rule{
        {kImage, kImages}, {"{"}, JsonSplitter::Rule::Kind::kTexts, kind_ == Kind::kImages ? 1 : kMostCalls};
    json_ = std::make_unique<JsonSplitter>(text, JsonSplitter::End::kOfText, rule);
  }
  if (const auto done = json_->step(budget_bytes); !done || !*done) return done;
  const std::string_view skeleton = json_->skeleton();
  json::error_code failure;
  const json::value value = json::parse({skeleton.data(), skeleton.size()}, failure);
  if (failure) return bad("JSON: the body is not well formed");
  if (!value.is_object()) return bad("JSON: the body must be an object, such as {\"image\": \"<base64>\"}");
  if (auto read = read_object(value.get_object(), calls); !read) return read.error();
  if (calls.size() != json_->values().size()) return bad("JSON: a picture is given twice");
  return true;
}

Outcome<void> PredictHandler::read_object(const json::object& object, api::Calls& calls) {
  for (const auto& member : object) {
    const std::string_view key(member.key().data(), member.key().size());
    const json::value& value = member.value();
    if (key != kImage && key != kImages) {
      if (auto read = read_json_parameter(key, value, parameters_); !read) return read;
      continue;
    }
    if (!calls.empty()) return bad("JSON: the body must have either image or images");
    if (key == kImage) {
      if (auto added = add_picture(value, calls); !added) return added;
      continue;
    }
    if (!value.is_array()) return bad("JSON: \"images\" must be a list of texts in base64");
    is_list_ = true;
    for (const json::value& element : value.get_array()) {
      if (auto added = add_picture(element, calls); !added) return added;
    }
  }
  if (calls.empty()) return bad("JSON: the key \"image\" is missing");
  return {};
}

Outcome<void> PredictHandler::add_picture(const json::value& number, api::Calls& calls) const {
  const auto& pictures = json_->values();
  if (!number.is_int64() || static_cast<std::uint64_t>(number.get_int64()) >= pictures.size()) {
    return bad("JSON: a picture must be a text in base64, and its key must have no escapes");
  }
  const std::string_view text = pictures[static_cast<std::size_t>(number.get_int64())].text;
  calls.push_back({std::as_bytes(std::span(text.data(), text.size())), common::ContentKind::kBase64});
  return {};
}

// ---- the answer ----

bool PredictHandler::render(const Result& result, http::Response& response) {
  if (packer_) return packer_->pack_some(response);
  if (!writer_.write_some(result, is_list_, common::elapsed_us(began_, AwakeClock::now()), response)) return false;
  const bool is_short = response.body.size() < kLeastPackedBytes;  // also if the answer is a file
  if (is_short || answer_coding_ == ContentCoding::kIdentity) return true;
  packer_ = std::make_unique<AnswerPacker>(answer_coding_);
  return false;
}

void PredictHandler::write_error(const Error& error, std::uint32_t retry_after_seconds, http::Response& response) {
  api::write_error(response, error, retry_after_seconds);
}

}  // namespace yolod::app::api::predict
