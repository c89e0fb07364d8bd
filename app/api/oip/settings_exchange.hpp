// Implements /v2/logging and /v2/trace/setting. Triton's clients read the settings there and write them. system.yaml
// has the log settings of this server, and it does not trace. So a request may only write the values that it reads.
#pragma once

#include "app/api/oip/small_body_exchange.hpp"

namespace yolod::app::api::oip {

class SettingsExchange final : public SmallBodyExchange {
 public:
  enum class Kind { kLog, kTrace };
  // `metrics` outlives this object.
  SettingsExchange(observe::Metrics& metrics, Kind kind) : SmallBodyExchange(metrics), kind_(kind) {}

 private:
  [[nodiscard]] Next act(std::string_view body, http::Response& response) override;

  const Kind kind_;
};

}  // namespace yolod::app::api::oip
