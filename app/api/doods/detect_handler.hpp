// Implements /detect of DOODS: a POST, or a message of its WebSocket. The body is JSON (detect_request.hpp). Its
// picture stays in the arena as base64, and a worker decodes it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "app/api/doods/detect_request.hpp"
#include "app/api/handler.hpp"
#include "app/serving/models.hpp"
#include "common/config/protocol_config.hpp"
#include "common/json_splitter.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api::doods {

class DetectHandler final : public api::Handler, public common::Recycled<DetectHandler> {
 public:
  // The references outlive this object. `config` may change between requests. `timeout` holds for a request whose head
  // has none.
  DetectHandler(const serving::Models& models, const common::DoodsConfig& config,
                std::optional<std::chrono::milliseconds> timeout = std::nullopt)
      : models_(models), config_(config), timeout_(timeout) {}

  [[nodiscard]] common::Outcome<void> begin(const http::RequestView& request, api::Plan& plan,
                                            http::Response& response) override;
  [[nodiscard]] common::Outcome<bool> ready(std::span<const std::byte> body, std::size_t budget_bytes,
                                            api::Calls& calls) override;
  [[nodiscard]] bool render(const Result& result, http::Response& response) override;
  void write_error(const common::Error& error, std::uint32_t retry_after_seconds, http::Response& response) override;

 private:
  // Sets the model of the plan.
  [[nodiscard]] common::Outcome<void> find_model();

  const serving::Models& models_;
  const common::DoodsConfig& config_;
  const std::optional<std::chrono::milliseconds> timeout_;
  api::Plan* plan_{nullptr};
  std::optional<common::JsonSplitter> splitter_;
  DetectRequest request_;
  std::optional<std::size_t> next_;  // the object that comes next; nothing: the answer has not begun
  bool has_written_{false};          // whether the answer has an object
};

}  // namespace yolod::app::api::doods
