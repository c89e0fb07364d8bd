#include <catch2/catch.hpp>

#include "common/domain/task.hpp"
#include "model/load/load_model.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/model/network_builder.hpp"

using namespace yolod;
using Catch::Matchers::Contains;

namespace {

std::string load_problem(const common::ModelConfig& config, const model::LoadContext& context = {}) {
  const auto model = model::load_model(config, context);
  if (model) return "";
  CHECK(model.error().code == common::ErrorCode::kBadModel);
  CHECK(model.error().message.find('\n') == std::string::npos);
  return model.error().message;
}

}  // namespace

TEST_CASE("load_model: every build serves an identity model", "[model][unit]") {
  common::ModelConfig config;
  config.source = common::IdentitySource{};
  CHECK(load_problem(config).empty());
}

#if defined(YOLOD_WITH_TORCH)
TEST_CASE("load_model: the error for a model that cannot be served is a single clear line", "[model][unit]") {
  const tests::TemporaryDirectory folder;
  common::ModelConfig config;
  config.name = "m";
  const auto cfg = folder.write("a.cfg", tests::detector_cfg(""));
  const auto names = folder.write("a.names", "thing\n");
  config.source = common::DarknetSource{cfg, folder.path() / "a.weights", names};
  CHECK_THAT(load_problem(config), Contains("a.weights: no such file"));

  // The file has a header of version 0.2, 6 biases and 18 weights.
  std::string weights(20 + 4 * 24, '\0');
  weights[4] = 2;
  (void)folder.write("a.weights", weights);
  CHECK(load_problem(config).empty());

  auto other = config;
  other.source = common::TorchScriptSource{folder.path() / "a.pt", "", {}, {}};
  CHECK_THAT(load_problem(other), Contains("a.pt: no such file"));
  other = config;
  other.precision = common::Precision::kFp16;
  CHECK_THAT(load_problem(other), Contains("fp16"));
  other = config;
  other.task = common::Task::kClassify;
  CHECK_THAT(load_problem(other), Contains("task"));
  other = config;
  other.detect.classes = {"thing", "thong"};
  CHECK_THAT(load_problem(other), Contains("no class \"thong\""));
  other = config;
  other.source = common::DarknetSource{cfg, folder.path() / "a.weights", ""};
  CHECK_THAT(load_problem(other), Contains("names"));
  other = config;
  other.source = common::DarknetSource{folder.path() / "b.cfg", folder.path() / "a.weights", names};
  CHECK_THAT(load_problem(other), Contains("b.cfg: no such file"));
  model::LoadContext gpu;
  gpu.device = "cuda:0";
  CHECK_THAT(load_problem(config, gpu), Contains("cuda:0"));
}
#else
TEST_CASE("load_model: a build without LibTorch reports that it has no LibTorch", "[model][unit]") {
  common::ModelConfig config;
  config.source = common::TorchScriptSource{};
  CHECK_THAT(load_problem(config), Contains("this build has no LibTorch"));
  // A file that no build can serve is reported first.
  config.source = common::DarknetSource{"a.cfg", "a.weights", "a.names"};
  CHECK_THAT(load_problem(config), Contains("a.cfg: no such file"));
}
#endif
