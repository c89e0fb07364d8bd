// Implements /v2/logging. Triton's clients read the log settings there and write them. system.yaml has the settings of
// this server, so a request may only write the values that it reads.
#pragma once

#include "app/api/oip/small_body_exchange.hpp"

namespace yolod::app::api::oip {

class LoggingExchange final : public SmallBodyExchange {
 public:
  using SmallBodyExchange::SmallBodyExchange;

 private:
  [[nodiscard]] Next act(std::string_view body, http::Response& response) override;
};

}  // namespace yolod::app::api::oip
