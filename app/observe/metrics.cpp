#include "app/observe/metrics.hpp"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "app/observe/metric_table.hpp"

namespace yolod::app::observe {
namespace {

// The buckets reach from 0.1 ms, the round trip of an identity model, to 30 s, the default request_timeout.
const std::vector<double> kSeconds{0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30};
const std::vector<double> kBatchSizes{1, 2, 4, 8, 16, 32, 64};

template <typename Kind, typename Builder>
prometheus::Family<Kind>& family(Builder builder, prometheus::Registry& registry, const MetricInfo& info) {
  return builder.Name(std::string(info.name)).Help(std::string(info.meaning)).Register(registry);
}

prometheus::Family<prometheus::Counter>& counters(prometheus::Registry& registry, const MetricInfo& info) {
  return family<prometheus::Counter>(prometheus::BuildCounter(), registry, info);
}

prometheus::Family<prometheus::Gauge>& gauges(prometheus::Registry& registry, const MetricInfo& info) {
  return family<prometheus::Gauge>(prometheus::BuildGauge(), registry, info);
}

prometheus::Family<prometheus::Histogram>& histograms(prometheus::Registry& registry, const MetricInfo& info) {
  return family<prometheus::Histogram>(prometheus::BuildHistogram(), registry, info);
}

// Gives the metric's labels these values.
prometheus::Labels labels(const MetricInfo& info, const std::string& first, const std::string& second = {}) {
  prometheus::Labels made{{std::string(info.labels[0]), first}};
  if (!info.labels[1].empty()) made.emplace(info.labels[1], second);
  return made;
}

constexpr double kSecondsPerMicrosecond = 1e-6;
constexpr double kMicrosecondsPerSecond = 1e6;

// Sets a counter whose value another object counts.
void set_count(prometheus::Counter& counter, std::uint64_t count) {
  counter.Increment(static_cast<double>(count) - counter.Value());
}

}  // namespace

Metrics::Metrics()
    : request_seconds_(histograms(registry_, kRequestSeconds)),
      batch_size_(histograms(registry_, kBatchSize)),
      requests_total_(counters(registry_, kRequestsTotal)),
      queue_depth_(gauges(registry_, kQueueDepth)),
      workers_(gauges(registry_, kWorkers)),
      sandbox_(gauges(registry_, kSandbox)),
      worker_restarts_total_(counters(registry_, kWorkerRestartsTotal)),
      replays_total_(counters(registry_, kReplaysTotal)),
      quarantined_total_(counters(registry_, kQuarantinedTotal)),
      generation_(gauges(registry_, kGeneration)),
      model_load_seconds_(gauges(registry_, kModelLoadSeconds)),
      arena_used_bytes_(gauges(registry_, kArenaBytes).Add(labels(kArenaBytes, "used"))),
      arena_total_bytes_(gauges(registry_, kArenaBytes).Add(labels(kArenaBytes, "total"))),
      open_connections_(gauges(registry_, kOpenConnections).Add({})),
      tls_handshakes_total_(counters(registry_, kTlsHandshakesTotal)),
      tls_not_after_seconds_(gauges(registry_, kTlsNotAfterSeconds)),
      auth_total_(counters(registry_, kAuthTotal)),
      limited_total_(counters(registry_, kLimitedTotal)),
      streams_(gauges(registry_, kStreams).Add({})),
      frames_dropped_total_(counters(registry_, kFramesDroppedTotal)),
      longest_turn_seconds_(gauges(registry_, kEventLoopLongestSeconds).Add({})) {
  auto& long_turns = counters(registry_, kEventLoopLongTurnsTotal);
  for (std::size_t i = 0; i < long_turns_.size(); ++i) {
    const auto seconds = fmt::format("{}", common::LoopTurns::kLongerThanUs[i] / kMicrosecondsPerSecond);
    long_turns_[i] = &long_turns.Add(labels(kEventLoopLongTurnsTotal, seconds));
  }
}

void Metrics::arena(std::uint64_t used_bytes, std::uint64_t total_bytes) {
  arena_used_bytes_.Set(static_cast<double>(used_bytes));
  arena_total_bytes_.Set(static_cast<double>(total_bytes));
}

void Metrics::count_answer(AnswerCounts& counts, const std::string& model, int http_status) {
  auto& count = counts[http_status];
  if (count == nullptr) {
    count = &answer_counts_[&requests_total_.Add(labels(kRequestsTotal, model, std::to_string(http_status)))];
  }
  ++*count;
}

void Metrics::answered_without_model(int http_status) {
  if (http_status >= 400) count_answer(answered_without_model_, "", http_status);
}

void Metrics::tls_handshake(const std::string& result) {
  tls_handshakes_total_.Add(labels(kTlsHandshakesTotal, result)).Increment();
}

void Metrics::frame_dropped(const std::string& model) {
  frames_dropped_total_.Add(labels(kFramesDroppedTotal, model)).Increment();
}

void Metrics::auth(std::string_view result, std::uint64_t count) {
  set_count(auth_total_.Add(labels(kAuthTotal, std::string(result))), count);
}

void Metrics::limited(std::string_view limit, std::uint64_t count) {
  set_count(limited_total_.Add(labels(kLimitedTotal, std::string(limit))), count);
}

void Metrics::tls_not_after(const std::string& listener, std::chrono::system_clock::time_point when) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(when.time_since_epoch()).count();
  tls_not_after_seconds_.Add(labels(kTlsNotAfterSeconds, listener)).Set(static_cast<double>(seconds));
}

void Metrics::open_connections(std::size_t count) { open_connections_.Set(static_cast<double>(count)); }

void Metrics::loop_turns(const common::LoopTurns& turns) {
  longest_turn_seconds_.Set(static_cast<double>(turns.longest_us()) * kSecondsPerMicrosecond);
  for (std::size_t i = 0; i < long_turns_.size(); ++i) {
    set_count(*long_turns_[i], turns.long_turns()[i]);
  }
}

std::vector<prometheus::MetricFamily> Metrics::collect() const {
  for (auto& [histogram, tally] : tallies_) tally.hand_over();
  for (const auto& [counter, count] : answer_counts_) set_count(*counter, count);
  for (const auto& [gauge, depth] : queue_depths_) gauge->Set(static_cast<double>(depth));
  return registry_.Collect();
}

HistogramTally& Metrics::tally_of(prometheus::Histogram& histogram, const std::vector<double>& bounds) {
  return tallies_.try_emplace(&histogram, histogram, bounds).first->second;
}

HistogramTally& Metrics::stage_of(const std::string& model, const std::string& stage) {
  return tally_of(request_seconds_.Add(labels(kRequestSeconds, model, stage), kSeconds), kSeconds);
}

HistogramTally& Metrics::batch_sizes_of(const std::string& model) {
  return tally_of(batch_size_.Add(labels(kBatchSize, model), kBatchSizes), kBatchSizes);
}

std::shared_ptr<const std::vector<prometheus::MetricFamily>> Metrics::collect_shared(
    std::chrono::milliseconds age) const {
  const auto now = common::Clock::now();
  auto shared = collected_.lock();
  if (shared && now - collected_at_ < age) return shared;
  shared = std::make_shared<const std::vector<prometheus::MetricFamily>>(collect());
  collected_ = shared;
  collected_at_ = now;
  return shared;
}

const ModelStatistics* Metrics::find_statistics(std::string_view model) const {
  const auto found = statistics_.find(model);
  return found == statistics_.end() ? nullptr : &found->second;
}

ModelMetrics::ModelMetrics(Metrics& metrics, std::string model)
    : metrics_(metrics),
      model_(std::move(model)),
      statistics_(metrics.statistics_[model_]),
      queue_seconds_(metrics.stage_of(model_, "queue")),
      decode_seconds_(metrics.stage_of(model_, "decode")),
      infer_seconds_(metrics.stage_of(model_, "infer")),
      post_seconds_(metrics.stage_of(model_, "post")),
      total_seconds_(metrics.stage_of(model_, "total")),
      batch_size_(metrics.batch_sizes_of(model_)),
      queue_depth_(metrics.queue_depths_[&metrics.queue_depth_.Add(labels(kQueueDepth, model_))]),
      replays_(metrics.replays_total_.Add(labels(kReplaysTotal, model_))),
      quarantined_(metrics.quarantined_total_.Add(labels(kQuarantinedTotal, model_))),
      generation_(metrics.generation_.Add(labels(kGeneration, model_))),
      load_seconds_(metrics.model_load_seconds_.Add(labels(kModelLoadSeconds, model_))) {}

void ModelMetrics::answered(int http_status, common::Clock::duration took) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  (http_status < 400 ? statistics_.success : statistics_.fail)
      .add(static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0)));
  metrics_.count_answer(answered_, model_, http_status);
}

void ModelMetrics::served(std::uint32_t queue_us, const common::WorkTimes& times, std::uint32_t total_us) {
  queue_seconds_.observe(queue_us * kSecondsPerMicrosecond);
  decode_seconds_.observe(times.decode_us * kSecondsPerMicrosecond);
  infer_seconds_.observe(times.infer_us * kSecondsPerMicrosecond);
  post_seconds_.observe(times.post_us * kSecondsPerMicrosecond);
  total_seconds_.observe(total_us * kSecondsPerMicrosecond);
}

void ModelMetrics::predicted(std::uint32_t queue_us, const common::WorkTimes& times, std::uint32_t rows,
                             std::uint32_t batch_rows) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  statistics_.input_ended(queue_us, times, rows, batch_rows,
                          static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(now).count()));
}

void ModelMetrics::batch(std::size_t size, std::uint32_t rows) {
  batch_size_.observe(static_cast<double>(size));
  statistics_.batch_began(rows);
}

void ModelMetrics::replayed() { replays_.Increment(); }
void ModelMetrics::quarantined() { quarantined_.Increment(); }

void ModelMetrics::restarted(const std::string& reason) {
  metrics_.worker_restarts_total_.Add(labels(kWorkerRestartsTotal, model_, reason)).Increment();
}

void ModelMetrics::loaded(std::chrono::milliseconds load_time) {
  load_seconds_.Set(std::chrono::duration<double>(load_time).count());
}

void ModelMetrics::generation(std::uint64_t number) { generation_.Set(static_cast<double>(number)); }

void ModelMetrics::workers(const std::string& state, double count) {
  metrics_.workers_.Add(labels(kWorkers, model_, state)).Set(count);
}

void ModelMetrics::sandbox(const std::string& part, bool in_force) {
  metrics_.sandbox_.Add(labels(kSandbox, model_, part)).Set(in_force ? 1 : 0);
}

}  // namespace yolod::app::observe
