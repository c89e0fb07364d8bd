#include "app/api/oip/load_overrides.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::app::api::oip {
namespace {

using std::chrono::milliseconds;

std::string why_not(const std::string& config) {
  const auto overrides = parse_overrides(config, "m");
  return overrides ? "" : overrides.error().message;
}

TEST_CASE("LoadOverrides: instances and dynamic batching replace settings of the model", "[app][unit]") {
  const auto overrides =
      parse_overrides(R"({"name":"m","instance_group":[{"count":2},{"count":1}],)"
                      R"("dynamic_batching":{"max_queue_delay_microseconds":1500,"preferred_batch_size":[8,4,8]}})",
                      "m");
  REQUIRE(overrides.ok());
  common::ModelConfig config;
  config.batch.max_size = 8;
  REQUIRE(override_settings(*overrides, config));
  CHECK(config.workers == 3);
  CHECK(config.batch.max_wait == milliseconds(2));
  CHECK(config.batch.preferred_sizes == std::vector<std::uint32_t>{4, 8});
  CHECK(*parse_overrides("{}", "m") == LoadOverrides{});
}

TEST_CASE("LoadOverrides: what this server cannot replace is refused with its name", "[app][unit]") {
  CHECK(why_not("[]") == "'config': it is not a JSON object");
  CHECK(why_not(R"({"name":"other"})") == "'config': name must be 'm'");
  CHECK(why_not(R"({"max_batch_size":8})").starts_with("'config': the key 'max_batch_size' cannot be replaced"));
  CHECK(why_not(R"({"instance_group":[{"kind":"KIND_GPU"}]})").find("'instance_group.kind'") != std::string::npos);
  CHECK(why_not(R"({"instance_group":[]})") == "'config': instance_group must have 1 to 256 instances");
  CHECK(why_not(R"({"instance_group":[{"count":200},{"count":57}]})").find("1 to 256") != std::string::npos);
  CHECK(why_not(R"({"instance_group":[{"count":0}]})") == "'config': count must be a whole number from 1 to 256");
  CHECK(why_not(R"({"dynamic_batching":{"preserve_ordering":true}})").find("preserve_ordering") != std::string::npos);
  CHECK(why_not(R"({"dynamic_batching":{"max_queue_delay_microseconds":-1}})").find("0 to 60000000") !=
        std::string::npos);
}

TEST_CASE("LoadOverrides: batches must fit the model's other settings", "[app][unit]") {
  common::ModelConfig config;
  config.batch.max_size = 4;
  LoadOverrides overrides;
  overrides.batch_sizes = {2, 8};
  CHECK(override_settings(overrides, config).error().message ==
        "'config': preferred_batch_size: at most 4, the batch.max_size of the model");
  overrides.batch_sizes = {2};
  config.batch.target_p99 = milliseconds(10);
  CHECK(override_settings(overrides, config).error().message.find("batch.target_p99") != std::string::npos);
}

}  // namespace
}  // namespace yolod::app::api::oip
