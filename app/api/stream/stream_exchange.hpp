// Implements GET /stream, the request that begins a WebSocket. A connection owns the exchange and uses it on the
// front-end's only thread.
#pragma once

#include <memory>
#include <utility>

#include "app/api/call_exchange.hpp"
#include "app/api/native_exchange.hpp"
#include "app/api/stream/options.hpp"
#include "app/api/stream/turns.hpp"

namespace yolod::app::api::stream {

class StreamExchange final : public NativeExchange {
 public:
  // `context` outlives this object and the conversation.
  StreamExchange(const CallContext& context, std::shared_ptr<Turns> turns)
      : NativeExchange(context.metrics), context_(context), turns_(std::move(turns)) {}

  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override;
  [[nodiscard]] std::unique_ptr<http::Conversation> take_conversation() override;

 private:
  const CallContext& context_;
  const std::shared_ptr<Turns> turns_;
  StreamOptions options_;
};

}  // namespace yolod::app::api::stream
