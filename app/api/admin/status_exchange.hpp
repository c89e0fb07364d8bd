// Implements GET /status, GET /metrics and GET /readyz.
#pragma once

#include <functional>
#include <optional>

#include "app/api/admin/status_json.hpp"
#include "app/api/native_exchange.hpp"
#include "app/observe/metrics.hpp"
#include "app/observe/metrics_text.hpp"
#include "app/serving/status.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api::admin {

// Returns the present state of the server.
using ReadStatus = std::function<serving::ServerStatus()>;
// Updates the metrics that are not counted at events.
using RefreshMetrics = std::function<void()>;

class StatusExchange final : public api::NativeExchange, public common::Recycled<StatusExchange> {
 public:
  // The arguments outlive this object.
  StatusExchange(observe::Metrics& metrics, const ReadStatus& read) : api::NativeExchange(metrics), read_(read) {}
  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override;
  [[nodiscard]] Next proceed(http::Response& response) override;

 private:
  const ReadStatus& read_;
  std::optional<StatusWriter> writer_;
};

class MetricsExchange final : public api::NativeExchange, public common::Recycled<MetricsExchange> {
 public:
  // The arguments outlive this object.
  MetricsExchange(observe::Metrics& metrics, const RefreshMetrics& refresh)
      : api::NativeExchange(metrics), metrics_(metrics), refresh_(refresh) {}
  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override;
  [[nodiscard]] Next proceed(http::Response& response) override;

 private:
  const observe::Metrics& metrics_;
  const RefreshMetrics& refresh_;
  std::optional<observe::MetricsText> text_;
};

class ReadinessExchange final : public api::NativeExchange, public common::Recycled<ReadinessExchange> {
 public:
  // The arguments outlive this object.
  ReadinessExchange(observe::Metrics& metrics, const ReadStatus& read) : api::NativeExchange(metrics), read_(read) {}
  [[nodiscard]] Next begin(const http::RequestView& request, http::Response& response) override;

 private:
  const ReadStatus& read_;
};

}  // namespace yolod::app::api::admin
