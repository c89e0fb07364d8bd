#include "app/api/roboflow/inference_handler.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "app/api/option_limits.hpp"
#include "app/api/request_values.hpp"
#include "app/api/roboflow/inference_json.hpp"
#include "app/api/roboflow/roboflow_error.hpp"
#include "common/awake_clock.hpp"
#include "common/text.hpp"

namespace yolod::app::api::roboflow {
namespace {

using common::AwakeClock;
using common::Error;
using common::ErrorCode;
using common::JsonSplitter;
using common::Outcome;

// The handler writes this many objects in one turn of the event loop, in less than 1 ms.
constexpr std::size_t kObjectsAtOnce = 256;
static_assert(kMostImages <= api::kMostCalls);

// Returns "project" of "project/12".
std::string_view without_version(std::string_view id) {
  const auto slash = id.rfind('/');
  const bool has_version =
      slash != std::string_view::npos && id.find_first_not_of("0123456789", slash + 1) == std::string_view::npos;
  return has_version ? id.substr(0, slash) : id;
}

}  // namespace

Outcome<void> InferenceHandler::begin(const http::RequestView& request, api::Plan& plan, http::Response& /*response*/) {
  began_ = request.began;
  plan_ = &plan;
  const auto timeout = api::parse_request_timeout(request.head.request_timeout);
  if (!timeout) return timeout.error();
  if (*timeout) plan.urgency.deadline = began_ + **timeout;
  if (kind_ == Kind::kJson) return {};
  std::string id;
  for (const auto part : request.captures) id.append(id.empty() ? "" : "/").append(part);
  if (auto found = find_model(id); !found) return found;
  auto parsed = parse_query(request.target.query());
  if (!parsed) return parsed.error();
  request_ = *std::move(parsed);
  if (auto made = make_options(); !made) return made;
  if (!http::is_multipart(request.head.content_type)) return {};
  auto boundary = http::multipart_boundary(request.head.content_type);
  if (!boundary) return Error{ErrorCode::kBadRequest, "the Content-Type multipart/form-data needs a valid boundary"};
  boundary_ = *std::move(boundary);
  return {};
}

Outcome<void> InferenceHandler::find_model(std::string_view id) {
  const std::string_view project = without_version(id);
  auto alias = config_.aliases.find(id);
  if (alias == config_.aliases.end()) alias = config_.aliases.find(project);
  const std::string_view name = alias == config_.aliases.end() ? project : std::string_view(alias->second);
  auto model = name.empty() ? nullptr : models_.find(name);
  if (model == nullptr) {
    constexpr std::size_t kLongestShown = 100;
    return Error{ErrorCode::kUnknownModel, "there is no model " + common::printable(id, kLongestShown)};
  }
  plan_->model = std::move(model);
  if (plan_->model->config->task == common::Task::kDetect) return {};
  return Error{ErrorCode::kInvalidParameter, "model " + plan_->model->config->name + " does not detect objects"};
}

Outcome<void> InferenceHandler::make_options() {
  const common::ModelConfig& model = *plan_->model->config;
  options_.confidence = request_.confidence.value_or(static_cast<float>(config_.confidence));
  options_.iou = request_.iou;
  options_.max_detections =
      std::min(request_.max_detections.value_or(model.detect.max_detections), model.detect.max_detections);
  options_.annotate = request_.wants_picture;
  return api::limit_to(model, options_);
}

Outcome<bool> InferenceHandler::ready(std::span<const std::byte> body, std::size_t budget_bytes, api::Calls& calls) {
  if (kind_ == Kind::kJson) return ready_json(body, budget_bytes, calls);
  if (boundary_.empty()) {
    calls.push_back({body, common::ContentKind::kBase64, options_});
    return true;
  }
  if (!form_) {
    form_ =
        std::make_unique<http::MultipartScanner>(body, boundary_, http::FormRules{.name = "file", .is_lenient = true});
  }
  if (!form_->step(budget_bytes)) return false;
  const auto form = std::move(form_);
  if (!form->result()) return form->result().error();
  calls.push_back({*form->result(), common::ContentKind::kFile, options_});
  return true;
}

Outcome<bool> InferenceHandler::ready_json(std::span<const std::byte> body, std::size_t budget_bytes,
                                           api::Calls& calls) {
  if (!splitter_) {
    splitter_.emplace(std::string_view(reinterpret_cast<const char*>(body.data()), body.size()),
                      JsonSplitter::End::kOfText, kPictureRule);
  }
  const auto split = splitter_->step(budget_bytes);
  if (!split || !*split) return split;
  const auto splitter = *std::exchange(splitter_, std::nullopt);
  auto parsed = parse_json(splitter.skeleton(), splitter.values().size(), key_);
  if (!parsed) return parsed.error();
  request_ = *std::move(parsed);
  if (auto found = find_model(request_.model_id); !found) return found.error();
  if (auto made = make_options(); !made) return made.error();
  for (const std::size_t image : request_.images) {
    const std::string_view text = splitter.values()[image].text;
    calls.push_back({std::as_bytes(std::span(text.data(), text.size())), common::ContentKind::kBase64, options_});
  }
  return true;
}

bool InferenceHandler::is_wanted(std::string_view label) const {
  return request_.classes.empty() ||
         std::find(request_.classes.begin(), request_.classes.end(), label) != request_.classes.end();
}

bool InferenceHandler::render(const Result& result, http::Response& response) {
  static const common::DetectionList kNothing;  // the identity model serves as a detector that finds nothing
  http::TextBuffer& out = response.body;
  const bool is_first_turn = next_answer_ == 0 && !next_object_;
  if (is_first_turn) {
    response.start(boost::beast::http::status::ok);
    if (auto* const file = std::get_if<common::EncodedFile>(&*result.answers.front().prediction)) {
      response.content_type = "image/jpeg";
      http::add_field(response, "X-Content-Type-Options", "nosniff");
      response.file = std::move(file->bytes);
      return true;
    }
    if (request_.is_list) out += '[';
  }
  const schedule::Answer& answer = result.answers[next_answer_];
  const auto* const found = std::get_if<common::DetectionList>(&*answer.prediction);
  const common::DetectionList& list = found == nullptr ? kNothing : *found;
  if (!next_object_) {
    if (next_answer_ != 0) out += ',';
    begin_inference(out, list, common::elapsed_us(began_, AwakeClock::now()));
    next_object_ = 0;
    has_object_ = false;
  }
  const std::size_t end = std::min(list.detections.size(), *next_object_ + kObjectsAtOnce);
  for (; *next_object_ < end; ++*next_object_) {
    const common::Detection& one = list.detections[*next_object_];
    const std::string& label = answer.model->labels[one.class_id];
    if (!is_wanted(label)) continue;
    if (std::exchange(has_object_, true)) out += ',';
    append_object(out, one, label);
  }
  if (end < list.detections.size()) return false;
  end_inference(out);
  next_object_.reset();
  if (++next_answer_ < result.answers.size()) return false;
  if (request_.is_list) out += ']';
  return true;
}

void InferenceHandler::write_error(const Error& error, std::uint32_t retry_after_seconds, http::Response& response) {
  roboflow::write_error(response, error, retry_after_seconds);
}

}  // namespace yolod::app::api::roboflow
