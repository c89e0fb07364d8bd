#include "app/observe/metrics_text.hpp"

#include <prometheus/text_serializer.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

namespace yolod::app::observe {
namespace {

TEST_CASE("MetricsText: the joined pieces are the same text as one piece", "[app][unit]") {
  const int model_count = GENERATE(0, 1, 3, 16, 50);
  Metrics metrics;
  std::vector<std::unique_ptr<ModelMetrics>> models;
  for (int i = 0; i < model_count; ++i) {
    models.push_back(std::make_unique<ModelMetrics>(metrics, "m" + std::to_string(i)));
    models.back()->answered(200, {});
    models.back()->served(1000, {1, 2, 3}, 2000);
    models.back()->workers("ready", 4);
    models.back()->restarted("crash");
    models.back()->sandbox("seccomp", true);
  }
  metrics.answered_without_model(404);
  MetricsText text(metrics);
  std::string pieces;
  std::size_t longest = 0;
  int count = 0;
  for (; !text.is_whole(); ++count) {
    const auto piece = text.next();
    longest = std::max(longest, static_cast<std::size_t>(std::count(piece.begin(), piece.end(), '\n')));
    pieces += piece;
  }
  CHECK(pieces == prometheus::TextSerializer().Serialize(metrics.collect()));
  CHECK(longest < 250);
  CHECK((count > 1) == (model_count > 1));
}

TEST_CASE("Metrics: the bounds of long turns are written in a readable form", "[app][unit]") {
  const Metrics metrics;
  MetricsText text(metrics);
  std::string all;
  while (!text.is_whole()) all += text.next();
  for (const char* bound : {"0.001", "0.002", "0.005", "0.01", "0.05", "0.2"}) {
    CHECK(all.find("long_turns_total{longer_than=\"" + std::string(bound) + "\"} 0") != std::string::npos);
  }
}

}  // namespace
}  // namespace yolod::app::observe
