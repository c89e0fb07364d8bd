// The base of handlers that tests of CallExchange need: it uses the default model and writes yolod's own errors.
#pragma once

#include "app/api/handler.hpp"
#include "app/api/native_error.hpp"
#include "app/serving/models.hpp"

namespace yolod::app::api {

class PlainHandler : public Handler {
 public:
  [[nodiscard]] common::Outcome<void> begin(const http::RequestView& /*request*/, Plan& plan,
                                            http::Response& /*response*/) override {
    plan.model = models_.find("");
    if (plan.model == nullptr) return common::Error{common::ErrorCode::kUnknownModel, "no model"};
    return {};
  }
  [[nodiscard]] bool render(const Result& /*result*/, http::Response& response) override {
    http::write_text(response, "text/plain", "done");
    return true;
  }
  void write_error(const common::Error& error, std::uint32_t retry_after_seconds, http::Response& response) override {
    api::write_error(response, error, retry_after_seconds);
  }

 protected:
  explicit PlainHandler(const serving::Models& models) : models_(models) {}

 private:
  const serving::Models& models_;
};

}  // namespace yolod::app::api
