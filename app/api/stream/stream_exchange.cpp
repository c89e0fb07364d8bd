#include "app/api/stream/stream_exchange.hpp"

#include "app/api/native_error.hpp"
#include "app/api/option_limits.hpp"
#include "app/api/request_values.hpp"
#include "app/api/stream/conversation.hpp"
#include "app/http/websocket_upgrade.hpp"

namespace yolod::app::api::stream {

using common::Error;
using common::ErrorCode;

http::Exchange::Next StreamExchange::begin(const http::RequestView& request, http::Response& response) {
  if (const auto refused = http::check_upgrade(request.head, request.caller, context_.config.cors)) {
    refuse(refused->error, response);
    http::finish_refusal(*refused, response);
    return Next::kRespond;
  }
  auto options = parse_stream_query(request.target);
  if (!options) return fail(options.error(), response);
  const auto timeout = parse_request_timeout(request.head.request_timeout);
  if (!timeout) return fail(timeout.error(), response);
  if (*timeout && !options->timeout) options->timeout = **timeout;
  const auto model = context_.models.find(options->model);
  if (model == nullptr) return fail({ErrorCode::kUnknownModel, "there is no model of that name"}, response);
  if (const auto within = limit_to(*model->config, options->prediction); !within) {
    return fail(within.error(), response);
  }
  // The default model may change at a reload, but a stream stays with its model.
  options->model = model->config->name;
  if (context_.draining()) return fail({ErrorCode::kShuttingDown, "the server is stopping"}, response);
  options_ = *std::move(options);
  return Next::kUpgrade;
}

std::unique_ptr<http::Conversation> StreamExchange::take_conversation() {
  return std::make_unique<StreamConversation>(context_, turns_, std::move(options_));
}

}  // namespace yolod::app::api::stream
