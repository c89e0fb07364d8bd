#include "app/api/doods/detect_conversation.hpp"

#include "app/api/doods/detect_handler.hpp"
#include "app/api/request_values.hpp"
#include "app/http/websocket_upgrade.hpp"

namespace yolod::app::api::doods {

DetectConversation::DetectConversation(const CallContext& context, const common::DoodsConfig& config,
                                       std::optional<std::chrono::milliseconds> timeout)
    : context_(context), config_(config), timeout_(timeout) {
  context_.metrics.stream_began();
}

DetectConversation::~DetectConversation() { context_.metrics.stream_ended(); }

std::unique_ptr<http::Exchange> DetectConversation::begin_message(Kind kind) {
  if (kind == Kind::kBinary) return nullptr;
  return std::make_unique<CallExchange>(context_, std::make_unique<DetectHandler>(context_.models, config_, timeout_));
}

http::Exchange::Next DetectUpgrade::begin(const http::RequestView& request, http::Response& response) {
  if (const auto refused = http::check_upgrade(request.head, request.caller, context_.config.cors)) {
    refuse(refused->error, response);
    http::finish_refusal(*refused, response);
    return Next::kRespond;
  }
  const auto timeout = parse_request_timeout(request.head.request_timeout);
  if (!timeout) return fail(timeout.error(), response);
  if (context_.draining()) return fail({common::ErrorCode::kShuttingDown, "the server is stopping"}, response);
  timeout_ = *timeout;
  return Next::kUpgrade;
}

std::unique_ptr<http::Conversation> DetectUpgrade::take_conversation() {
  return std::make_unique<DetectConversation>(context_, config_, timeout_);
}

}  // namespace yolod::app::api::doods
