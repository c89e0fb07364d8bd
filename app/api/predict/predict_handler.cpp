#include "app/api/predict/predict_handler.hpp"

#include <utility>

#include "app/api/native_error.hpp"
#include "app/api/option_limits.hpp"
#include "app/api/predict/parameters.hpp"
#include "app/api/predict/prediction_json.hpp"
#include "app/api/request_values.hpp"
#include "app/http/characters.hpp"
#include "app/http/content_negotiation.hpp"
#include "common/awake_clock.hpp"
#include "common/text.hpp"

namespace yolod::app::api::predict {
namespace {

using common::AwakeClock;
using common::Error;
using common::ErrorCode;
using common::Outcome;

// The handler writes this many items of a list as JSON in one turn of the event loop.
constexpr std::size_t kItemsAtOnce = 500;

}  // namespace

Outcome<void> PredictHandler::begin(const http::RequestView& request, api::Plan& plan, http::Response& /*response*/) {
  const http::RequestHead& head = request.head;
  began_ = request.began;
  const auto parameters = parse_predict_parameters(request.target);
  if (!parameters) return parameters.error();
  auto model = models_.find(parameters->model);
  if (model == nullptr) return Error{ErrorCode::kUnknownModel, "there is no model of that name"};
  if (auto fits = check_route(*model->config); !fits) return fits;
  plan.model = std::move(model);
  options_ = parameters->options;
  const auto timeout = api::parse_request_timeout(head.request_timeout);
  if (!timeout) return timeout.error();
  plan.urgency = {parameters->priority, *timeout ? began_ + **timeout : AwakeClock::time_point::max()};
  if (kind_ == Kind::kImages) options_.png = http::prefers_png(head.accept);
  if (auto within = limit_to(*plan.model->config, options_); !within) return within;
  return read_content_type(head, *plan.model->config);
}

Outcome<void> PredictHandler::check_route(const common::ModelConfig& model) const {
  const bool makes_images = model.task == common::Task::kImage;
  if (kind_ == Kind::kImages && !makes_images) {
    return Error{ErrorCode::kBadRequest,
                 "this model does not produce images: use POST /predict, or another model with ?model="};
  }
  if (kind_ == Kind::kPredictions && makes_images) {
    return Error{ErrorCode::kBadRequest, "this model produces images: use PUT /image"};
  }
  return {};
}

Outcome<void> PredictHandler::read_content_type(const http::RequestHead& head, const common::ModelConfig& model) {
  if (!head.content_encoding.empty() && !http::equal_ignoring_case(head.content_encoding, "identity")) {
    constexpr std::size_t kLongestShown = 40;
    return Error{ErrorCode::kUnsupportedMediaType, "the Content-Encoding " +
                                                       common::printable(head.content_encoding, kLongestShown) +
                                                       " is not supported; send the picture without it"};
  }
  if (http::is_multipart(head.content_type)) {
    boundary_ = http::multipart_boundary(head.content_type);
    if (!boundary_) return Error{ErrorCode::kBadRequest, "multipart: the Content-Type has no valid boundary"};
  } else if (http::is_media_type(head.content_type, "application/json")) {
    if (model.task == common::Task::kTensor) {
      return Error{ErrorCode::kUnsupportedMediaType, "this model takes tensors: send .npy or .npz as the body"};
    }
    content_kind_ = common::ContentKind::kJson;
  }
  return {};
}

Outcome<bool> PredictHandler::ready(std::span<const std::byte> body, std::size_t budget_bytes, api::Calls& calls) {
  if (!boundary_) {
    calls.push_back({body, content_kind_, options_});
    return true;
  }
  if (!form_) {
    form_ = std::make_unique<http::MultipartScanner>(
        body, *boundary_, http::FormRules{.name = "image", .refused = predict_parameters()});
  }
  if (!form_->step(budget_bytes)) return false;
  const auto part = form_->result();
  form_.reset();
  if (!part) return part.error();
  calls.push_back({*part, common::ContentKind::kFile, options_});
  return true;
}

bool PredictHandler::render(const Result& result, http::Response& response) {
  schedule::Answer& answer = result.answers.front();
  const auto elapsed_us = [this] { return common::elapsed_us(began_, AwakeClock::now()); };
  if (!written_items_) {
    if (item_count(*answer.prediction) <= kItemsAtOnce) {
      write_prediction(response, result.model, answer, elapsed_us());
      return true;
    }
    begin_prediction(response, result.model, answer);
    written_items_ = 0;
    return false;
  }
  append_items(response, answer, *written_items_, kItemsAtOnce);
  *written_items_ += kItemsAtOnce;
  if (*written_items_ < item_count(*answer.prediction)) return false;
  end_prediction(response, answer, elapsed_us());
  return true;
}

void PredictHandler::write_error(const Error& error, std::uint32_t retry_after_seconds, http::Response& response) {
  api::write_error(response, error, retry_after_seconds);
}

}  // namespace yolod::app::api::predict
