// Implements POST /reload. The server reads the config again and loads all models, or only the model that ?model=
// names.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "app/api/native_exchange.hpp"
#include "app/http/request_id.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::admin {

// Reads the config again and reloads this model, or all models if the name is empty. The audit log gets the id of the
// request. `done` is called once, later.
// Errors are kUnknownModel, kBadConfig, kBadModel with the reason, kNotReady while another reload runs, and
// kShuttingDown.
using AskForReload = std::function<void(std::string_view model, std::string_view request_id,
                                        std::function<void(const common::Outcome<void>&)> done)>;

class ReloadExchange final : public api::NativeExchange {
 public:
  // The arguments outlive this object.
  ReloadExchange(observe::Metrics& metrics, const AskForReload& ask) : api::NativeExchange(metrics), ask_(ask) {}

  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override;
  void wait(Resume done) override;
  [[nodiscard]] Next proceed(http::Response& response) override;

 private:
  const AskForReload& ask_;
  std::string model_;
  http::RequestId request_id_;
  common::Outcome<void> result_;
};

// Writes the result of a reload and replaces the whole response. Only admins may request a reload, so the answer
// contains the full reason of a failure.
void write_reloaded(http::Response& response, const common::Outcome<void>& result);

}  // namespace yolod::app::api::admin
