#include "app/unsupported_settings.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "app/process/preload.hpp"
#include "common/domain/task.hpp"

namespace yolod::app {
namespace {

using common::Config;
using common::ModelConfig;

Config config_with(const std::function<void(ModelConfig&)>& change) {
  Config config;
  config.models.emplace_back();
  config.models[0].name = "m";
  change(config.models[0]);
  return config;
}

// Returns the single problem of a config, which begins with `key`.
void check_refused(const Config& config, const std::string& key) {
  const auto problems = unsupported_settings(config);
  CAPTURE(key);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].key == key);
  CHECK_FALSE(problems[0].message.empty());
  CHECK(problems[0].message.find('\n') == std::string::npos);
}

TEST_CASE("Supported: the default settings are supported", "[app][unit]") {
  CHECK(unsupported_settings(Config{}).empty());
  CHECK(unsupported_settings(config_with([](ModelConfig&) {})).empty());
  CHECK(unsupported_settings(config_with([](ModelConfig& model) { model.source = common::DarknetSource{}; })).empty());
}

TEST_CASE("Supported: the settings that tune a model are supported", "[app][unit]") {
  CHECK(unsupported_settings(config_with([](ModelConfig& model) {
          model.devices = {"cpu", "cpu"};
          model.batch.max_size = 32;
          model.queue.max_size = 1;
          model.threads = 4;
          model.workers = 16;
          model.detect.confidence = 0.5;
          model.detect.classes = {"person"};
          model.preload = common::AutoBool::kFalse;
          model.reload = common::ReloadMode::kInPlace;
          model.recycle = {1000, 1ULL << 30U};
          model.canary.image = "/a.jpg";
          model.resize = common::ResizeMode::kLetterbox;
          model.preprocess.order = common::ChannelOrder::kBgr;
        })).empty());
}

TEST_CASE("Supported: a TorchScript model is supported for every task", "[app][unit]") {
  const auto task =
      GENERATE(common::Task::kDetect, common::Task::kClassify, common::Task::kImage, common::Task::kTensor);
  CHECK(unsupported_settings(config_with([&](ModelConfig& model) {
          model.source = common::TorchScriptSource{};
          model.task = task;
        })).empty());
}

TEST_CASE("Supported: augmentation of a detector is supported", "[app][unit]") {
  const auto darknet = GENERATE(true, false);
  CHECK(unsupported_settings(config_with([&](ModelConfig& model) {
          if (darknet) {
            model.source = common::DarknetSource{};
          } else {
            model.source = common::TorchScriptSource{};
          }
          model.detect.augment = true;
        })).empty());
}

TEST_CASE("Supported: an admin listener that is no unix socket is refused", "[app][unit]") {
  Config admin;
  admin.server.admin_listen = "127.0.0.1:9090";
  check_refused(admin, "server.admin_listen");
}

TEST_CASE("Supported: a model's settings without effect are refused, each by its key", "[app][unit]") {
  const auto refused = [](const std::string& key, const std::function<void(ModelConfig&)>& change) {
    check_refused(config_with(change), "models[0]." + key);
  };
  refused("task", [](ModelConfig& model) {
    model.source = common::DarknetSource{};
    model.task = common::Task::kImage;
  });
  refused("detect.augment", [](ModelConfig& model) { model.detect.augment = true; });
  refused("detect.augment", [](ModelConfig& model) {
    model.source = common::TorchScriptSource{};
    model.task = common::Task::kClassify;
    model.detect.augment = true;
  });
  const auto on_cuda = [](ModelConfig& model) {
    model.source = common::DarknetSource{};
    model.devices = {"cuda:0", "cuda:1"};
  };
  if (!process::kBuiltWithCuda) {
    refused("device", on_cuda);
    return;
  }
  CHECK(unsupported_settings(config_with(on_cuda)).empty());
  refused("preload", [&](ModelConfig& model) {
    on_cuda(model);
    model.preload = common::AutoBool::kTrue;
  });
}

TEST_CASE("Supported: every problem of every model is reported, not the first alone", "[app][unit]") {
  Config config = config_with([](ModelConfig& model) { model.detect.augment = true; });
  config.models.emplace_back();
  config.models[1].name = "n";
  config.models[1].detect.augment = true;
  config.server.admin_listen = "127.0.0.1:9090";
  CHECK(unsupported_settings(config).size() == 3);
}

}  // namespace
}  // namespace yolod::app
