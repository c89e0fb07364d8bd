// A DetectConversation is one WebSocket of DOODS' /detect. Each text message is the JSON of a POST /detect, and its
// answer is the JSON of that request's answer. So a request has the same admission, deadline, replay and errors as a
// POST.
//
// DOODS sends the answers in any order, and its clients tell them apart by `id`. Here they have the order of the
// requests.
//
// The WebSocket owns it and uses it on the front-end's only thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "app/api/call_exchange.hpp"
#include "app/api/doods/doods_error.hpp"
#include "app/api/protocol_exchange.hpp"
#include "app/http/conversation.hpp"
#include "common/config/protocol_config.hpp"

namespace yolod::app::api::doods {

class DetectConversation final : public http::Conversation {
 public:
  // The server reads no further request while this many have no answer that was sent.
  static constexpr std::size_t kMostRequests = 8;

  // The references outlive this object. `timeout` is the time of each request from its first byte.
  DetectConversation(const CallContext& context, const common::DoodsConfig& config,
                     std::optional<std::chrono::milliseconds> timeout);
  ~DetectConversation() override;

  [[nodiscard]] std::unique_ptr<http::Exchange> begin_message(Kind kind) override;
  // Every text is a request, so this function is never called.
  void note_came(std::string_view /*text*/, http::Response& /*response*/) override {}
  [[nodiscard]] std::size_t most_unanswered() const override { return kMostRequests; }

 private:
  const CallContext& context_;
  const common::DoodsConfig& config_;
  const std::optional<std::chrono::milliseconds> timeout_;
};

// Implements GET /detect, the request that begins the WebSocket. A connection owns it and uses it on the front-end's
// only thread.
class DetectUpgrade final : public ProtocolExchange<DoodsErrors> {
 public:
  // The references outlive this object and the conversation.
  DetectUpgrade(const CallContext& context, const common::DoodsConfig& config)
      : ProtocolExchange(context.metrics), context_(context), config_(config) {}

  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override;
  [[nodiscard]] std::unique_ptr<http::Conversation> take_conversation() override;

 private:
  const CallContext& context_;
  const common::DoodsConfig& config_;
  std::optional<std::chrono::milliseconds> timeout_;
};

}  // namespace yolod::app::api::doods
