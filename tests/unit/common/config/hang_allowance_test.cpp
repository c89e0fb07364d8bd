#include "common/config/hang_allowance.hpp"

#include <catch2/catch.hpp>
#include <chrono>

#include "common/domain/task.hpp"

namespace yolod::common {
namespace {

using namespace std::chrono_literals;

ModelConfig detector() {
  ModelConfig config;
  config.source = DarknetSource{};
  config.hang_timeout = 10s;
  config.limits.max_decode_time = 2s;
  config.batch.max_size = 8;
  return config;
}

TEST_CASE("HangAllowance: each picture that is still to be decoded may take max_decode_time", "[common][unit]") {
  CHECK(hang_allowance(detector(), 0) == 10s);
  CHECK(hang_allowance(detector(), 1) == 12s);
  CHECK(hang_allowance(detector(), 8) == 26s);
  CHECK(longest_hang_allowance(detector()) == 42s);
}

TEST_CASE("HangAllowance: a model that decodes no pictures has hang_timeout, whatever its worker has",
          "[common][unit]") {
  auto config = detector();
  SECTION("identity") { config.source = IdentitySource{}; }
  SECTION("tensors") {
    config.source = TorchScriptSource{};
    config.task = Task::kTensor;
  }
  CHECK(hang_allowance(config, 8) == 10s);
  CHECK(longest_hang_allowance(config) == 10s);
}

}  // namespace
}  // namespace yolod::common
