#include "app/observe/metrics.hpp"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <utility>
#include <vector>

namespace yolod::app::observe {
namespace {

// 0.1 ms to 30 s: from an identity model's round trip to the default request_timeout.
const std::vector<double> kSeconds{0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30};
const std::vector<double> kBatchSizes{1, 2, 4, 8, 16, 32, 64};

template <typename Kind, typename Builder>
prometheus::Family<Kind>& family(Builder builder, prometheus::Registry& registry, const std::string& name,
                                 const std::string& help) {
  return builder.Name("yolod_" + name).Help(help).Register(registry);
}

prometheus::Histogram& stage(prometheus::Family<prometheus::Histogram>& seconds, const std::string& model,
                             const std::string& name) {
  return seconds.Add({{"model", model}, {"stage", name}}, kSeconds);
}

constexpr double kSecondsPerMicrosecond = 1e-6;
constexpr double kMicrosecondsPerSecond = 1e6;

}  // namespace

Metrics::Metrics()
    : request_seconds_(family<prometheus::Histogram>(prometheus::BuildHistogram(), registry_, "request_seconds",
                                                     "Time of answered predictions, by stage")),
      batch_size_(family<prometheus::Histogram>(prometheus::BuildHistogram(), registry_, "batch_size",
                                                "Requests handed to a worker at once")),
      requests_total_(family<prometheus::Counter>(prometheus::BuildCounter(), registry_, "requests_total",
                                                  "Answers, by model and HTTP status")),
      queue_depth_(family<prometheus::Gauge>(prometheus::BuildGauge(), registry_, "queue_depth",
                                             "Requests that wait for a worker")),
      workers_(family<prometheus::Gauge>(prometheus::BuildGauge(), registry_, "workers", "Workers, by state")),
      sandbox_(family<prometheus::Gauge>(prometheus::BuildGauge(), registry_, "sandbox",
                                         "1 if every worker that serves has this part of its sandbox in force")),
      worker_restarts_total_(family<prometheus::Counter>(prometheus::BuildCounter(), registry_, "worker_restarts_total",
                                                         "Workers that died, by reason")),
      replays_total_(family<prometheus::Counter>(prometheus::BuildCounter(), registry_, "replays_total",
                                                 "Requests queued again after their worker died")),
      quarantined_total_(family<prometheus::Counter>(prometheus::BuildCounter(), registry_, "quarantined_total",
                                                     "Images that are refused because workers died of them")),
      generation_(family<prometheus::Gauge>(prometheus::BuildGauge(), registry_, "generation",
                                            "Of the workers that serve: 1, and one more for each reload")),
      model_load_seconds_(family<prometheus::Gauge>(prometheus::BuildGauge(), registry_, "model_load_seconds",
                                                    "How long the last load took")),
      arena_used_bytes_(family<prometheus::Gauge>(prometheus::BuildGauge(), registry_, "arena_bytes",
                                                  "The input arena: used, and in all")
                            .Add({{"kind", "used"}})),
      arena_total_bytes_(family<prometheus::Gauge>(prometheus::BuildGauge(), registry_, "arena_bytes",
                                                   "The input arena: used, and in all")
                             .Add({{"kind", "total"}})),
      open_connections_(
          family<prometheus::Gauge>(prometheus::BuildGauge(), registry_, "open_connections", "Connections of clients")
              .Add({})),
      longest_turn_seconds_(family<prometheus::Gauge>(prometheus::BuildGauge(), registry_, "event_loop_longest_seconds",
                                                      "The longest that the event loop was held up since the start")
                                .Add({})) {
  auto& long_turns =
      family<prometheus::Counter>(prometheus::BuildCounter(), registry_, "event_loop_long_turns_total",
                                  "How often the event loop was held up for longer than so many seconds");
  for (std::size_t i = 0; i < long_turns_.size(); ++i) {
    const auto seconds = fmt::format("{}", common::LoopTurns::kLongerThanUs[i] / kMicrosecondsPerSecond);
    long_turns_[i] = &long_turns.Add({{"longer_than", seconds}});
  }
}

void Metrics::arena(std::uint64_t used_bytes, std::uint64_t total_bytes) {
  arena_used_bytes_.Set(static_cast<double>(used_bytes));
  arena_total_bytes_.Set(static_cast<double>(total_bytes));
}

prometheus::Counter& Metrics::answers_of(const std::string& model, int http_status) {
  return requests_total_.Add({{"model", model}, {"code", std::to_string(http_status)}});
}

void Metrics::answered_without_model(int http_status) {
  if (http_status < 400) return;
  auto& counter = answered_without_model_[http_status];
  if (counter == nullptr) counter = &answers_of("", http_status);
  counter->Increment();
}

void Metrics::open_connections(std::size_t count) { open_connections_.Set(static_cast<double>(count)); }

void Metrics::loop_turns(const common::LoopTurns& turns) {
  longest_turn_seconds_.Set(static_cast<double>(turns.longest_us()) * kSecondsPerMicrosecond);
  for (std::size_t i = 0; i < long_turns_.size(); ++i) {
    long_turns_[i]->Increment(static_cast<double>(turns.long_turns()[i]) - long_turns_[i]->Value());
  }
}

std::vector<prometheus::MetricFamily> Metrics::collect() const { return registry_.Collect(); }

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

ModelMetrics::ModelMetrics(Metrics& metrics, std::string model)
    : metrics_(metrics),
      model_(std::move(model)),
      queue_seconds_(stage(metrics.request_seconds_, model_, "queue")),
      decode_seconds_(stage(metrics.request_seconds_, model_, "decode")),
      infer_seconds_(stage(metrics.request_seconds_, model_, "infer")),
      post_seconds_(stage(metrics.request_seconds_, model_, "post")),
      total_seconds_(stage(metrics.request_seconds_, model_, "total")),
      batch_size_(metrics.batch_size_.Add({{"model", model_}}, kBatchSizes)),
      queue_depth_(metrics.queue_depth_.Add({{"model", model_}})),
      replays_(metrics.replays_total_.Add({{"model", model_}})),
      quarantined_(metrics.quarantined_total_.Add({{"model", model_}})),
      generation_(metrics.generation_.Add({{"model", model_}})),
      load_seconds_(metrics.model_load_seconds_.Add({{"model", model_}})) {}

void ModelMetrics::answered(int http_status) {
  auto& counter = answered_[http_status];
  if (counter == nullptr) {
    counter = &metrics_.answers_of(model_, http_status);
  }
  counter->Increment();
}

void ModelMetrics::served(std::uint32_t queue_us, const common::WorkTimes& times, std::uint32_t total_us) {
  queue_seconds_.Observe(queue_us * kSecondsPerMicrosecond);
  decode_seconds_.Observe(times.decode_us * kSecondsPerMicrosecond);
  infer_seconds_.Observe(times.infer_us * kSecondsPerMicrosecond);
  post_seconds_.Observe(times.post_us * kSecondsPerMicrosecond);
  total_seconds_.Observe(total_us * kSecondsPerMicrosecond);
}

void ModelMetrics::batch(std::size_t size) { batch_size_.Observe(static_cast<double>(size)); }
void ModelMetrics::queue_depth(std::size_t depth) { queue_depth_.Set(static_cast<double>(depth)); }
void ModelMetrics::replayed() { replays_.Increment(); }
void ModelMetrics::quarantined() { quarantined_.Increment(); }

void ModelMetrics::restarted(const std::string& reason) {
  metrics_.worker_restarts_total_.Add({{"model", model_}, {"reason", reason}}).Increment();
}

void ModelMetrics::loaded(std::chrono::milliseconds load_time) {
  load_seconds_.Set(std::chrono::duration<double>(load_time).count());
}

void ModelMetrics::generation(std::uint64_t number) { generation_.Set(static_cast<double>(number)); }

void ModelMetrics::workers(const std::string& state, double count) {
  metrics_.workers_.Add({{"model", model_}, {"state", state}}).Set(count);
}

void ModelMetrics::sandbox(const std::string& part, bool in_force) {
  metrics_.sandbox_.Add({{"model", model_}, {"part", part}}).Set(in_force ? 1 : 0);
}

}  // namespace yolod::app::observe
