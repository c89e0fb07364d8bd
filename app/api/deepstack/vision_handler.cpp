#include "app/api/deepstack/vision_handler.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "app/api/deepstack/base64.hpp"
#include "app/api/deepstack/deepstack_error.hpp"
#include "app/api/deepstack/vision_json.hpp"
#include "app/api/option_limits.hpp"
#include "app/api/request_values.hpp"
#include "common/awake_clock.hpp"
#include "common/text.hpp"

namespace yolod::app::api::deepstack {
namespace {

using common::AwakeClock;
using common::Error;
using common::ErrorCode;
using common::Outcome;
using common::Task;

constexpr std::string_view kMinConfidence = "min_confidence";
constexpr std::string_view kApiKey = "api_key";
constexpr std::array<std::string_view, 2> kFields{kMinConfidence, kApiKey};
// The handler writes this many bytes of a picture as base64 in one turn of the event loop, in less than 1 ms.
constexpr std::size_t kPictureBytesAtOnce = 64 * 1024 * kBase64Group;

struct KindInfo {
  std::string_view name;   // of the alias that chooses the model
  std::string_view title;  // in DeepStack's errors
  Task task;
};

KindInfo info_of(VisionHandler::Kind kind) {
  switch (kind) {
    case VisionHandler::Kind::kDetection: return {"detection", "Detection", Task::kDetect};
    case VisionHandler::Kind::kScene: return {"scene", "Scene", Task::kClassify};
    case VisionHandler::Kind::kEnhance: return {"enhance", "Enhance", Task::kImage};
  }
  return {"detection", "Detection", Task::kDetect};
}

Error invalid_confidence() { return {ErrorCode::kInvalidParameter, "Invalid value for min_confidence"}; }

}  // namespace

Outcome<std::shared_ptr<serving::ServedModel>> VisionHandler::find_model(std::string_view name) const {
  const KindInfo info = info_of(kind_);
  const auto alias = config_.aliases.find(name.empty() ? info.name : name);
  auto model = models_.find(alias == config_.aliases.end() ? name : std::string_view(alias->second));
  if (model == nullptr) {
    constexpr std::size_t kLongestShown = 100;
    return Error{ErrorCode::kUnknownModel, "there is no model named " + common::printable(name, kLongestShown)};
  }
  if (model->config->task != info.task) {
    return Error{ErrorCode::kForbidden,
                 std::string(info.title) + " endpoint not activated: model " + model->config->name +
                     " has another task; name a model with deepstack.aliases." + std::string(info.name)};
  }
  return model;
}

Outcome<void> VisionHandler::begin(const http::RequestView& request, api::Plan& plan, http::Response& /*response*/) {
  began_ = request.began;
  auto boundary = http::is_multipart(request.head.content_type) ? http::multipart_boundary(request.head.content_type)
                                                                : std::nullopt;
  if (boundary) boundary_ = *std::move(boundary);
  auto model = find_model(request.captures.empty() ? std::string_view() : request.captures.front());
  if (!model) return model.error();
  plan.model = *std::move(model);
  const auto timeout = api::parse_request_timeout(request.head.request_timeout);
  if (!timeout) return timeout.error();
  if (*timeout) plan.urgency.deadline = began_ + **timeout;
  if (kind_ == Kind::kDetection) {
    options_.confidence = static_cast<float>(config_.confidence);
    options_.max_detections = std::min(config_.max_predictions, plan.model->config->detect.max_detections);
  }
  options_.png = kind_ == Kind::kEnhance;
  for (const auto& [name, value] : request.target.query()) {
    if (name != kMinConfidence) continue;
    if (auto read = read_confidence(value); !read) return read;
  }
  if (boundary_.empty()) {
    return Error{ErrorCode::kBadRequest,
                 "No valid image file found: the body must be multipart/form-data with a file named image"};
  }
  return {};
}

// Programs of some countries write a comma for the decimal point.
Outcome<void> VisionHandler::read_confidence(std::string_view text) {
  constexpr std::size_t kLongest = 32;
  text = common::trimmed(text);
  if (text.empty()) return {};
  if (text.size() > kLongest) return invalid_confidence();
  std::string number(text);
  std::replace(number.begin(), number.end(), ',', '.');
  const auto value = api::parse_whole<float>(number);
  if (!value || !(*value >= 0)) return invalid_confidence();
  if (*value > 1) return Error{ErrorCode::kInvalidParameter, "min_confidence cannot be greater than 1"};
  if (kind_ == Kind::kDetection) options_.confidence = *value;
  return {};
}

Outcome<bool> VisionHandler::ready(std::span<const std::byte> body, std::size_t budget_bytes, api::Calls& calls) {
  if (!form_) {
    form_ = std::make_unique<http::MultipartScanner>(
        body, boundary_, http::FormRules{.name = "image", .fields = kFields, .is_lenient = true});
  }
  if (!form_->step(budget_bytes)) return false;
  const auto form = std::move(form_);
  key_ = form->field(kApiKey).value_or(std::string_view());
  if (!form->result())
    return Error{ErrorCode::kBadRequest, "No valid image file found: " + form->result().error().message};
  if (const auto text = form->field(kMinConfidence)) {
    if (auto read = read_confidence(*text); !read) return read.error();
  }
  calls.push_back({*form->result(), common::ContentKind::kFile, options_});
  return true;
}

bool VisionHandler::render(const Result& result, http::Response& response) {
  schedule::Answer& answer = result.answers.front();
  const auto elapsed_us = [this] { return common::elapsed_us(began_, AwakeClock::now()); };
  if (const auto* const list = std::get_if<common::DetectionList>(&*answer.prediction)) {
    write_detections(response, *list, answer, elapsed_us());
    return true;
  }
  if (const auto* const classes = std::get_if<common::ClassificationList>(&*answer.prediction)) {
    write_scene(response, *classes, answer, elapsed_us());
    return true;
  }
  if (const auto* const file = std::get_if<common::EncodedFile>(&*answer.prediction)) {
    if (!written_bytes_) {
      begin_picture(response, *file);
      written_bytes_ = 0;
    }
    const std::span<const std::byte> rest = std::span(file->bytes).subspan(*written_bytes_);
    const auto piece = rest.first(std::min(kPictureBytesAtOnce, rest.size()));
    append_base64(response.body, piece);
    *written_bytes_ += piece.size();
    if (*written_bytes_ < file->bytes.size()) return false;
    end_picture(response, *file, answer, elapsed_us());
    return true;
  }
  // The identity model serves as a detector that finds nothing.
  write_detections(response, {}, answer, elapsed_us());
  return true;
}

void VisionHandler::write_error(const Error& error, std::uint32_t retry_after_seconds, http::Response& response) {
  deepstack::write_error(response, error, config_.errors, retry_after_seconds);
}

}  // namespace yolod::app::api::deepstack
