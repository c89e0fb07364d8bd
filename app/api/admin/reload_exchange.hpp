// POST /reload: the config is read again, and all models are loaded anew, or the one that ?model= names.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "app/api/native_exchange.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::admin {

// Reads the config again and reloads that model, or with an empty name all. `done` is called once, later:
// kUnknownModel, kBadConfig, kBadModel with the reason, kNotReady while another reload runs, kShuttingDown.
using AskForReload =
    std::function<void(std::string_view model, std::function<void(const common::Outcome<void>&)> done)>;

class ReloadExchange final : public api::NativeExchange {
 public:
  // Both outlive it.
  ReloadExchange(observe::Metrics& metrics, const AskForReload& ask) : api::NativeExchange(metrics), ask_(ask) {}

  [[nodiscard]] Next begin(const http::Question& question, http::Response& response) override;
  void wait(Resume done) override;
  [[nodiscard]] Next proceed(http::Response& response) override;

 private:
  const AskForReload& ask_;
  std::string model_;
  common::Outcome<void> result_;
};

// Whoever may ask for a reload is told the reason of a failure as it is. Replaces all of `response`.
void write_reloaded(http::Response& response, const common::Outcome<void>& result);

}  // namespace yolod::app::api::admin
