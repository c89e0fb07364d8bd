// GET /status, GET /metrics and GET /readyz.
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

// The server as it is now.
using ReadStatus = std::function<serving::ServerStatus()>;
// Brings the metrics of things that are not counted up to date.
using RefreshMetrics = std::function<void()>;

class StatusExchange final : public api::NativeExchange, public common::Recycled<StatusExchange> {
 public:
  // Both outlive it.
  StatusExchange(observe::Metrics& metrics, const ReadStatus& read) : api::NativeExchange(metrics), read_(read) {}
  [[nodiscard]] Next begin(const http::Question& question, http::Response& response) override;
  [[nodiscard]] Next proceed(http::Response& response) override;

 private:
  const ReadStatus& read_;
  std::optional<StatusWriter> writer_;
};

class MetricsExchange final : public api::NativeExchange, public common::Recycled<MetricsExchange> {
 public:
  // Both outlive it.
  MetricsExchange(observe::Metrics& metrics, const RefreshMetrics& refresh)
      : api::NativeExchange(metrics), metrics_(metrics), refresh_(refresh) {}
  [[nodiscard]] Next begin(const http::Question& question, http::Response& response) override;
  [[nodiscard]] Next proceed(http::Response& response) override;

 private:
  const observe::Metrics& metrics_;
  const RefreshMetrics& refresh_;
  std::optional<observe::MetricsText> text_;
};

class ReadinessExchange final : public api::NativeExchange, public common::Recycled<ReadinessExchange> {
 public:
  // Both outlive it.
  ReadinessExchange(observe::Metrics& metrics, const ReadStatus& read) : api::NativeExchange(metrics), read_(read) {}
  [[nodiscard]] Next begin(const http::Question& question, http::Response& response) override;

 private:
  const ReadStatus& read_;
};

}  // namespace yolod::app::api::admin
