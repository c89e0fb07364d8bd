// Answers GET /model/registry. Roboflow's client asks for it before its first request to /infer/object_detection.
//
// A connection owns an exchange and uses it on the front-end's only thread.
#pragma once

#include <functional>

#include "app/api/protocol_exchange.hpp"
#include "app/api/roboflow/roboflow_error.hpp"
#include "app/serving/models.hpp"
#include "app/serving/status.hpp"
#include "common/config/protocol_config.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api::roboflow {

// Lists each detector by its name, such as lights, by its name with a version, lights/1, and by its aliases.
class RegistryExchange final : public ProtocolExchange<RoboflowErrors>, public common::Recycled<RegistryExchange> {
 public:
  using ReadStatus = std::function<serving::ServerStatus()>;
  // The references outlive this object.
  RegistryExchange(observe::Metrics& metrics, const common::RoboflowConfig& config, const ReadStatus& read,
                   const serving::Models& models)
      : ProtocolExchange(metrics), config_(config), read_(read), models_(models) {}
  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override;

 private:
  const common::RoboflowConfig& config_;
  const ReadStatus& read_;
  const serving::Models& models_;
};

}  // namespace yolod::app::api::roboflow
