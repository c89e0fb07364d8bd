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

namespace yolod::app {

// The server as it is now.
using ReadStatus = std::function<ServerStatus()>;
// Brings the metrics of things that are not counted up to date.
using RefreshMetrics = std::function<void()>;

class StatusExchange final : public NativeExchange, public common::Recycled<StatusExchange> {
 public:
  // Both outlive it.
  StatusExchange(Metrics& metrics, const ReadStatus& read) : NativeExchange(metrics), read_(read) {}
  [[nodiscard]] Next begin(const Question& question, Response& response) override;
  [[nodiscard]] Next proceed(Response& response) override;

 private:
  const ReadStatus& read_;
  std::optional<StatusWriter> writer_;
};

class MetricsExchange final : public NativeExchange, public common::Recycled<MetricsExchange> {
 public:
  // Both outlive it.
  MetricsExchange(Metrics& metrics, const RefreshMetrics& refresh)
      : NativeExchange(metrics), metrics_(metrics), refresh_(refresh) {}
  [[nodiscard]] Next begin(const Question& question, Response& response) override;
  [[nodiscard]] Next proceed(Response& response) override;

 private:
  const Metrics& metrics_;
  const RefreshMetrics& refresh_;
  std::optional<MetricsText> text_;
};

class ReadinessExchange final : public NativeExchange, public common::Recycled<ReadinessExchange> {
 public:
  // Both outlive it.
  ReadinessExchange(Metrics& metrics, const ReadStatus& read) : NativeExchange(metrics), read_(read) {}
  [[nodiscard]] Next begin(const Question& question, Response& response) override;

 private:
  const ReadStatus& read_;
};

}  // namespace yolod::app
