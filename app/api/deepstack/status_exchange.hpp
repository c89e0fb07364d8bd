// The exchanges of DeepStack's and CodeProject.AI's routes that need no model. Each writes its answer at once.
//
// A connection owns an exchange and uses it on the front-end's only thread.
#pragma once

#include <functional>

#include "app/api/deepstack/deepstack_error.hpp"
#include "app/http/exchange.hpp"
#include "app/observe/metrics.hpp"
#include "app/serving/models.hpp"
#include "app/serving/status.hpp"
#include "common/config/protocol_config.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api::deepstack {

// Writes the errors of exchanges and counts their answers.
class DeepStackExchange : public http::HeadExchange {
 public:
  // The references outlive this object.
  DeepStackExchange(observe::Metrics& metrics, const common::DeepStackConfig& config)
      : metrics_(metrics), config_(config) {}

  void refuse(const common::Error& error, http::Response& response) final {
    write_error(response, error, config_.errors);
  }
  void answered(int http_status) final { metrics_.answered_without_model(http_status); }

 protected:
  [[nodiscard]] const common::DeepStackConfig& config() const { return config_; }

 private:
  observe::Metrics& metrics_;
  const common::DeepStackConfig& config_;
};

class FixedExchange final : public DeepStackExchange, public common::Recycled<FixedExchange> {
 public:
  using Write = void (*)(http::Response& response);
  FixedExchange(observe::Metrics& metrics, const common::DeepStackConfig& config, Write write)
      : DeepStackExchange(metrics, config), write_(write) {}
  [[nodiscard]] Next begin(const http::RequestView& /*request*/, http::Response& response) override {
    write_(response);
    return Next::kRespond;
  }

 private:
  const Write write_;
};

// Lists the names of the detectors.
class ListExchange final : public DeepStackExchange, public common::Recycled<ListExchange> {
 public:
  using ReadStatus = std::function<serving::ServerStatus()>;
  // The references outlive this object.
  ListExchange(observe::Metrics& metrics, const common::DeepStackConfig& config, const ReadStatus& read,
               const serving::Models& models)
      : DeepStackExchange(metrics, config), read_(read), models_(models) {}
  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override;

 private:
  const ReadStatus& read_;
  const serving::Models& models_;
};

}  // namespace yolod::app::api::deepstack
