// Answers GET /detectors of DOODS.
//
// A connection owns an exchange and uses it on the front-end's only thread.
#pragma once

#include <functional>

#include "app/api/doods/doods_error.hpp"
#include "app/api/protocol_exchange.hpp"
#include "app/serving/models.hpp"
#include "app/serving/status.hpp"
#include "common/config/protocol_config.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api::doods {

// Lists the detectors, with the name "default" as well for the default model.
class DetectorsExchange final : public ProtocolExchange<DoodsErrors>, public common::Recycled<DetectorsExchange> {
 public:
  using ReadStatus = std::function<serving::ServerStatus()>;
  // All detectors together have at most this many labels in the answer, so that it is written in less than 1 ms.
  static constexpr std::size_t kMostLabels = 10'000;

  // The references outlive this object.
  DetectorsExchange(observe::Metrics& metrics, const common::DoodsConfig& config, const ReadStatus& read,
                    const serving::Models& models)
      : ProtocolExchange(metrics), config_(config), read_(read), models_(models) {}
  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override;

 private:
  const common::DoodsConfig& config_;
  const ReadStatus& read_;
  const serving::Models& models_;
};

}  // namespace yolod::app::api::doods
