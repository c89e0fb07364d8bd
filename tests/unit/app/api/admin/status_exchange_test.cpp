#include "app/api/admin/status_exchange.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "tests/unit/app/api/exchange_driver.hpp"

namespace yolod::app::api::admin {
namespace {

namespace json = boost::json;

serving::ServerStatus many_models(bool ready) {
  serving::ServerStatus status;
  for (int i = 0; i < 16; ++i) {
    serving::ModelStatus model;
    model.name = "m" + std::to_string(i);
    model.ready = ready;
    model.workers.resize(4);
    status.models.push_back(std::move(model));
  }
  return status;
}

TEST_CASE("StatusExchange: many workers are shown in several turns", "[app][unit]") {
  boost::asio::io_context io;
  observe::Metrics metrics;
  int reads = 0;
  const ReadStatus read = [&reads] {
    ++reads;
    return many_models(true);
  };
  api::ExchangeDriver driver(io, std::make_unique<StatusExchange>(metrics, read));
  driver.finish(driver.begin("GET /status HTTP/1.1\r\nHost: a\r\n"));
  CHECK(reads == 1);
  CHECK(driver.turns() > 3);
  CHECK(driver.status() == 200);
  CHECK(driver.response.content_type == "application/json");
  json::error_code failure;
  const auto value = json::parse(driver.body(), failure);
  REQUIRE_FALSE(failure);
  CHECK(value.at("models").as_array().size() == 16);
}

TEST_CASE("ReadinessExchange: the answer is 200 if all models are ready, else 503 and counted", "[app][unit]") {
  boost::asio::io_context io;
  observe::Metrics metrics;
  const bool ready = GENERATE(true, false);
  const ReadStatus read = [ready] { return many_models(ready); };
  api::ExchangeDriver driver(io, std::make_unique<ReadinessExchange>(metrics, read));
  driver.finish(driver.begin("GET /readyz HTTP/1.1\r\nHost: a\r\n"));
  CHECK(driver.status() == (ready ? 200 : 503));
  observe::MetricsText text(metrics);
  std::string all;
  while (!text.is_whole()) all += text.next();
  CHECK((all.find(R"(yolod_requests_total{code="503",model=""} 1)") != std::string::npos) == !ready);
}

TEST_CASE("MetricsExchange: the metrics are updated once and written in turns", "[app][unit]") {
  boost::asio::io_context io;
  observe::Metrics metrics;
  std::vector<std::unique_ptr<observe::ModelMetrics>> models;
  for (int i = 0; i < 16; ++i)
    models.push_back(std::make_unique<observe::ModelMetrics>(metrics, "m" + std::to_string(i)));
  int refreshed = 0;
  const RefreshMetrics refresh = [&refreshed] { ++refreshed; };
  api::ExchangeDriver driver(io, std::make_unique<MetricsExchange>(metrics, refresh));
  driver.finish(driver.begin("GET /metrics HTTP/1.1\r\nHost: a\r\n"));
  CHECK(refreshed == 1);
  CHECK(driver.turns() > 5);
  CHECK(driver.response.content_type == "text/plain; version=0.0.4");
  CHECK(driver.body().find("yolod_request_seconds_bucket{model=\"m15\"") != std::string::npos);
}

}  // namespace
}  // namespace yolod::app::api::admin
