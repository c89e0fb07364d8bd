// The exchanges of DeepStack's and CodeProject.AI's routes that need no model. Each writes its answer at once.
//
// A connection owns an exchange and uses it on the front-end's only thread.
#pragma once

#include <functional>

#include "app/api/deepstack/deepstack_error.hpp"
#include "app/api/protocol_exchange.hpp"
#include "app/observe/metrics.hpp"
#include "app/serving/models.hpp"
#include "app/serving/status.hpp"
#include "common/config/protocol_config.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api::deepstack {

struct DeepStackErrorWriter {
  const common::DeepStackConfig& config;  // outlives this object
  void operator()(const common::Error& error, http::Response& response) const {
    write_error(response, error, config.errors);
  }
};

using DeepStackExchange = ProtocolExchange<DeepStackErrorWriter>;

// Lists the names of the detectors.
class ListExchange final : public DeepStackExchange, public common::Recycled<ListExchange> {
 public:
  using ReadStatus = std::function<serving::ServerStatus()>;
  // The references outlive this object.
  ListExchange(observe::Metrics& metrics, const common::DeepStackConfig& config, const ReadStatus& read,
               const serving::Models& models)
      : DeepStackExchange(metrics, {config}), read_(read), models_(models) {}
  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override;

 private:
  const ReadStatus& read_;
  const serving::Models& models_;
};

}  // namespace yolod::app::api::deepstack
