#include "app/api/doods/detect_handler.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <variant>

#include "app/api/doods/doods_error.hpp"
#include "app/api/request_values.hpp"
#include "common/text.hpp"

namespace yolod::app::api::doods {
namespace {

using common::Error;
using common::ErrorCode;
using common::JsonSplitter;
using common::Outcome;

constexpr std::string_view kDefault = "default";
// The handler compares this many objects with regions in one turn of the event loop, in less than 1 ms.
constexpr std::size_t kComparedAtOnce = 4096;
constexpr std::size_t kWrittenAtOnce = 256;

// Clients may send the address of a picture instead. The server opens no addresses.
bool is_address(std::string_view data) {
  constexpr std::array<std::string_view, 4> kBeginnings{"http:", "https:", "rtsp:", "ftp:"};
  return std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [data](std::string_view beginning) { return data.starts_with(beginning); });
}

void append(http::TextBuffer& out, std::string_view label, float confidence, const common::Box& box) {
  constexpr int kDecimals = 6;
  constexpr float kPercent = 100;
  out += R"({"top":)";
  out.add_fixed(box.y_min, kDecimals);
  out += R"(,"left":)";
  out.add_fixed(box.x_min, kDecimals);
  out += R"(,"bottom":)";
  out.add_fixed(box.y_max, kDecimals);
  out += R"(,"right":)";
  out.add_fixed(box.x_max, kDecimals);
  out += R"(,"label":)";
  out.add_json(label);
  out += R"(,"confidence":)";
  out.add_fixed(confidence * kPercent, 2);
  out += '}';
}

}  // namespace

Outcome<void> DetectHandler::begin(const http::RequestView& request, api::Plan& plan, http::Response& /*response*/) {
  plan_ = &plan;
  const auto timeout = api::parse_request_timeout(request.head.request_timeout);
  if (!timeout) return timeout.error();
  if (const auto most = *timeout ? *timeout : timeout_) plan.urgency.deadline = request.began + *most;
  return {};
}

Outcome<bool> DetectHandler::ready(std::span<const std::byte> body, std::size_t budget_bytes, api::Calls& calls) {
  if (!splitter_) {
    splitter_.emplace(std::string_view(reinterpret_cast<const char*>(body.data()), body.size()),
                      JsonSplitter::End::kOfText, kPictureRule);
  }
  const auto split = splitter_->step(budget_bytes);
  if (!split || !*split) return split;
  const auto parsed = parse_detect_request(splitter_->skeleton(), splitter_->values().size(), request_);
  if (!parsed) return parsed.error();
  if (auto found = find_model(); !found) return found.error();
  const std::string_view data = splitter_->values()[request_.data].text;
  if (is_address(data)) return Error{ErrorCode::kBadRequest, "'data' must be a picture in base64, not an address"};
  common::PredictionOptions options;
  options.confidence = request_.least_confidence();
  calls.push_back({std::as_bytes(std::span(data.data(), data.size())), common::ContentKind::kBase64, options});
  splitter_.reset();
  return true;
}

Outcome<void> DetectHandler::find_model() {
  const std::string_view name = request_.detector.empty() ? kDefault : std::string_view(request_.detector);
  const auto alias = config_.aliases.find(name);
  std::string_view model = alias == config_.aliases.end() ? name : std::string_view(alias->second);
  plan_->model = models_.find(model);
  if (plan_->model == nullptr && model == kDefault) plan_->model = models_.find({});
  const bool detects = plan_->model != nullptr && plan_->model->config->task == common::Task::kDetect;
  if (detects) return {};
  constexpr std::size_t kLongestShown = 100;
  plan_->model.reset();
  return Error{ErrorCode::kUnknownModel, "unknown detector name: " + common::printable(name, kLongestShown)};
}

bool DetectHandler::render(const Result& result, http::Response& response) {
  const schedule::Answer& answer = result.answers.front();
  http::TextBuffer& out = response.body;
  if (!next_) {
    response.start(boost::beast::http::status::ok);
    out += '{';
    if (!request_.id.empty()) {
      out += R"("id":)";
      out.add_json(request_.id);
      out += ',';
    }
    out += R"("detections":[)";
    next_ = 0;
  }
  // The identity model serves as a detector that finds nothing.
  const auto* const list = std::get_if<common::DetectionList>(&*answer.prediction);
  if (list != nullptr && list->image_width != 0 && list->image_height != 0) {
    const auto width = static_cast<float>(list->image_width);
    const auto height = static_cast<float>(list->image_height);
    const std::size_t at_once = std::min(kWrittenAtOnce, kComparedAtOnce / (1 + request_.regions.size()));
    const std::size_t end = std::min(list->detections.size(), *next_ + at_once);
    for (; *next_ < end; ++*next_) {
      const common::Detection& one = list->detections[*next_];
      const common::Box box{one.box.x_min / width, one.box.y_min / height, one.box.x_max / width,
                            one.box.y_max / height};
      const std::string& label = answer.model->labels[one.class_id];
      if (!request_.wants(label, one.confidence, box)) continue;
      if (std::exchange(has_written_, true)) out += ',';
      append(out, label, one.confidence, box);
    }
    if (end < list->detections.size()) return false;
  }
  out += "]}";
  return true;
}

void DetectHandler::write_error(const Error& error, std::uint32_t retry_after_seconds, http::Response& response) {
  doods::write_error(response, error, request_.id, retry_after_seconds);
}

}  // namespace yolod::app::api::doods
