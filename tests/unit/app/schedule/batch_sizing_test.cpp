#include "app/schedule/batch_sizing.hpp"

#include <catch2/catch.hpp>
#include <chrono>

namespace yolod::app::schedule {
namespace {

using namespace std::chrono_literals;
using common::BatchConfig;

common::ModelDescription found(std::uint32_t size) {
  common::ModelDescription description;
  description.batch_size = size;
  return description;
}

TEST_CASE("BatchSizing: a size in the config is the limit", "[app][unit]") {
  BatchConfig config;
  config.max_size = 6;
  config.max_wait = 5ms;
  const BatchSizing sizing(config);
  CHECK(sizing.limits(1).max_size == 6);
  CHECK(sizing.limits(1).max_wait == 5ms);
}

TEST_CASE("BatchSizing: with auto the size that the first worker found applies until a new config", "[app][unit]") {
  const BatchConfig config;
  BatchSizing sizing(config);
  sizing.worker_ready(found(4));
  CHECK(sizing.limits(1).max_size == 4);
  sizing.worker_ready(found(2));
  CHECK(sizing.limits(1).max_size == 4);
  sizing.use(config);
  sizing.worker_ready(found(2));
  CHECK(sizing.limits(1).max_size == 2);
}

TEST_CASE("BatchSizing: no worker can make a batch larger than the limit of auto", "[app][unit]") {
  const BatchConfig config;
  BatchSizing sizing(config);
  sizing.worker_ready(found(UINT32_MAX));
  CHECK(sizing.limits(1).max_size <= BatchConfig::kMostByAuto);
}

TEST_CASE("BatchSizing: a target makes batches as large as it allows", "[app][unit]") {
  BatchConfig config;
  config.max_size = 8;
  config.target_p99 = GENERATE(20ms, 1000ms);
  BatchSizing sizing(config);
  common::ModelDescription description;
  description.batch_times = {{1, 10'000}, {2, 18'000}, {4, 34'000}, {8, 66'000}};
  sizing.worker_ready(description);
  auto now = common::Clock::time_point(1h);
  for (int i = 0; i < 100; ++i) sizing.arrived(now += 15ms);
  sizing.answered(5ms);
  CHECK((sizing.limits(1).max_size > 1) == (config.target_p99 == 1000ms));
}

TEST_CASE("BatchSizing: a worker that decodes ahead gets its batch earlier by the decoding time", "[app][unit]") {
  const BatchConfig config;
  BatchSizing sizing(config);
  CHECK(sizing.handover_lead(4, false) == 500us);
  CHECK(sizing.handover_lead(4, true) == 500us);
  for (int i = 0; i < 200; ++i) sizing.decoded(10'000);
  CHECK(sizing.handover_lead(4, false) == 500us);
  const auto lead = sizing.handover_lead(4, true);
  CHECK(lead > 45ms);
  CHECK(lead < 55ms);
  for (int i = 0; i < 200; ++i) sizing.decoded(UINT32_MAX);  // the worker reports its own time
  CHECK(sizing.handover_lead(1, true) < 2s);
}

TEST_CASE("BatchSizing: the duration of batches is measured", "[app][unit]") {
  const BatchConfig config;
  BatchSizing sizing(config);
  CHECK_FALSE(sizing.times().of_batch(2));
  sizing.served(2, 30ms);
  REQUIRE(sizing.times().of_batch(2));
  CHECK(*sizing.times().of_batch(2) == 30ms);
}

}  // namespace
}  // namespace yolod::app::schedule
