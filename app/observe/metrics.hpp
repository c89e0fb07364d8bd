// Holds the server's metrics as Prometheus families. The front-end creates the object once and updates it on its
// only thread; GET /metrics reads it.
#pragma once

#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/observe/histogram_tally.hpp"
#include "app/observe/model_statistics.hpp"
#include "common/clock.hpp"
#include "common/domain/work_times.hpp"
#include "common/loop_turns.hpp"

namespace yolod::app::observe {

class Metrics;

// Holds the series of one model, which are looked up once.
class ModelMetrics {
 public:
  ModelMetrics(Metrics& metrics, std::string model);

  // `took` is the time since the request's first byte.
  void answered(int http_status, common::Clock::duration took);
  void served(std::uint32_t queue_us, const common::WorkTimes& times, std::uint32_t total_us);
  // Counts a prediction with so many rows. Its batch had `batch_rows` rows.
  void predicted(std::uint32_t queue_us, const common::WorkTimes& times, std::uint32_t rows, std::uint32_t batch_rows);
  // Counts rows of a prediction that were unknown when it was counted.
  void more_rows(std::uint32_t count) { statistics_.inference_count += count; }
  // Counts a batch with so many requests, which have so many rows.
  void batch(std::size_t size, std::uint32_t rows);
  void queue_depth(std::size_t depth) { queue_depth_ = depth; }
  void replayed();
  void quarantined();
  void restarted(const std::string& reason);
  void loaded(std::chrono::milliseconds load_time);
  void generation(std::uint64_t number);
  void workers(const std::string& state, double count);
  // Sets whether this part of the sandbox is in force for every serving worker.
  void sandbox(const std::string& part, bool in_force);
  [[nodiscard]] const ModelStatistics& statistics() const { return statistics_; }

 private:
  Metrics& metrics_;
  std::string model_;
  ModelStatistics& statistics_;
  std::map<int, std::uint64_t*> answered_;  // for Metrics::count_answer()
  HistogramTally& queue_seconds_;
  HistogramTally& decode_seconds_;
  HistogramTally& infer_seconds_;
  HistogramTally& post_seconds_;
  HistogramTally& total_seconds_;
  HistogramTally& batch_size_;
  std::size_t& queue_depth_;
  prometheus::Counter& replays_;
  prometheus::Counter& quarantined_;
  prometheus::Gauge& generation_;
  prometheus::Gauge& load_seconds_;
};

// The class has a member for each family of metrics.
class Metrics {
 public:
  Metrics();

  void arena(std::uint64_t used_bytes, std::uint64_t total_bytes);
  void open_connections(std::size_t count);
  // Counts a TLS handshake. `result` is done, plain_http, no_certificate or failed.
  void tls_handshake(const std::string& result);
  // Sets the end of validity of the certificate of the listener with that URL.
  void tls_not_after(const std::string& listener, std::chrono::system_clock::time_point when);
  // Sets how many requests had this result of authentication, and how many this limit has refused.
  void auth(std::string_view result, std::uint64_t count);
  void limited(std::string_view limit, std::uint64_t count);
  // Counts an answer with a status of 400 or more that belongs to no model, under the model "". Such requests ask
  // for unknown paths or models, are malformed or forbidden, or ask for /readyz while models load.
  void answered_without_model(int http_status);
  void loop_turns(const common::LoopTurns& turns);
  // A WebSocket of /stream has begun or ended.
  void stream_began() { streams_.Increment(); }
  void stream_ended() { streams_.Decrement(); }
  // Counts a picture of a stream that was dropped for a newer one.
  void frame_dropped(const std::string& model);
  // Returns all families with the present values of their series (see observe/metrics_text).
  [[nodiscard]] std::vector<prometheus::MetricFamily> collect() const;
  // Returns the result of collect(). If another caller got it less than `age` before and still holds it, both share
  // it.
  [[nodiscard]] std::shared_ptr<const std::vector<prometheus::MetricFamily>> collect_shared(
      std::chrono::milliseconds age) const;
  // Returns null if there has never been a model of that name.
  [[nodiscard]] const ModelStatistics* find_statistics(std::string_view model) const;

 private:
  friend class ModelMetrics;
  // The map points to the counts of one model's answers, by status.
  using AnswerCounts = std::map<int, std::uint64_t*>;
  // Counts an answer. `counts` is the model's own, and the two generations of a model share the counts.
  void count_answer(AnswerCounts& counts, const std::string& model, int http_status);
  // Returns the tally of a stage's seconds, or of the sizes of batches. Both generations of a model share it.
  HistogramTally& stage_of(const std::string& model, const std::string& stage);
  HistogramTally& batch_sizes_of(const std::string& model);
  HistogramTally& tally_of(prometheus::Histogram& histogram, const std::vector<double>& bounds);

  prometheus::Registry registry_;
  prometheus::Family<prometheus::Histogram>& request_seconds_;
  prometheus::Family<prometheus::Histogram>& batch_size_;
  prometheus::Family<prometheus::Counter>& requests_total_;
  prometheus::Family<prometheus::Gauge>& queue_depth_;
  prometheus::Family<prometheus::Gauge>& workers_;
  prometheus::Family<prometheus::Gauge>& sandbox_;
  prometheus::Family<prometheus::Counter>& worker_restarts_total_;
  prometheus::Family<prometheus::Counter>& replays_total_;
  prometheus::Family<prometheus::Counter>& quarantined_total_;
  prometheus::Family<prometheus::Gauge>& generation_;
  prometheus::Family<prometheus::Gauge>& model_load_seconds_;
  prometheus::Gauge& arena_used_bytes_;
  prometheus::Gauge& arena_total_bytes_;
  prometheus::Gauge& open_connections_;
  prometheus::Family<prometheus::Counter>& tls_handshakes_total_;
  prometheus::Family<prometheus::Gauge>& tls_not_after_seconds_;
  prometheus::Family<prometheus::Counter>& auth_total_;
  prometheus::Family<prometheus::Counter>& limited_total_;
  prometheus::Gauge& streams_;
  prometheus::Family<prometheus::Counter>& frames_dropped_total_;
  prometheus::Gauge& longest_turn_seconds_;
  std::array<prometheus::Counter*, common::LoopTurns::kLongerThanUs.size()> long_turns_{};
  AnswerCounts answered_without_model_;
  std::map<std::string, ModelStatistics, std::less<>> statistics_;
  mutable std::weak_ptr<const std::vector<prometheus::MetricFamily>> collected_;
  mutable common::Clock::time_point collected_at_;
  // The next values change with every request. A change of a prometheus-cpp object takes several atomic operations, so
  // only collect() hands the values over.
  mutable std::map<const prometheus::Histogram*, HistogramTally> tallies_;
  std::map<prometheus::Counter*, std::uint64_t> answer_counts_;
  std::map<prometheus::Gauge*, std::size_t> queue_depths_;
};

}  // namespace yolod::app::observe
