#include "app/process/preload.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace yolod::app::process {
namespace {

using common::AutoBool;
using common::ModelConfig;

ModelConfig detector_on(std::vector<std::string> devices, AutoBool preload = AutoBool::kAuto) {
  ModelConfig config;
  config.source = common::DarknetSource{};
  config.devices = std::move(devices);
  config.preload = preload;
  return config;
}

TEST_CASE("LoadsOnce: a loader is the default on the CPU, unless preload is false", "[app][unit]") {
  const bool built_with_cuda = GENERATE(false, true);
  CHECK(preloads(detector_on({"cpu", "cpu"}), built_with_cuda));
  CHECK_FALSE(preloads(detector_on({"cpu"}, AutoBool::kFalse), built_with_cuda));
}

TEST_CASE("LoadsOnce: no loader is used if a worker may create a CUDA context", "[app][unit]") {
  CHECK_FALSE(preloads(detector_on({"cpu", "cuda:1"}), true));
  CHECK_FALSE(preloads(detector_on({"cuda:0"}, AutoBool::kTrue), true));
  CHECK_FALSE(preloads(detector_on({}), true));
}

TEST_CASE("LoadsOnce: auto means the CPU in a build without CUDA, and for a model that computes nothing",
          "[app][unit]") {
  CHECK(preloads(detector_on({}), false));
  CHECK(preloads(ModelConfig{}, true));
}

}  // namespace
}  // namespace yolod::app::process
