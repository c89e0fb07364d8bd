#include "app/supported.hpp"

namespace yolod::app {
namespace {

using common::ModelConfig;

void check_model(const ModelConfig& model, std::vector<std::string>& problems) {
  const auto refuse = [&](bool set, const char* key, const char* what) {
    if (set) problems.push_back("models." + model.name + "." + key + ": " + what);
  };
  const bool darknet = std::holds_alternative<common::DarknetSource>(model.source);
  refuse(darknet && (model.task == common::Task::kImage || model.task == common::Task::kTensor), "task",
         "a Darknet network detects or classifies");
  const bool detects =
      model.task == common::Task::kDetect && !std::holds_alternative<common::IdentitySource>(model.source);
  refuse(model.detect.augment && !detects, "detect.augment", "only a detector takes it");
  for (const std::string& device : model.devices) {
    refuse(device != "cpu", "device", "only auto and cpu are supported by this version");
  }
}

}  // namespace

std::vector<std::string> unsupported_settings(const common::Config& config) {
  std::vector<std::string> problems;
  if (config.server.tls != common::TlsConfig{}) problems.emplace_back("server.tls: not supported by this version");
  if (!config.server.api_keys_file.empty()) {
    problems.emplace_back("server.api_keys_file: not supported by this version");
  }
  if (!config.server.admin_listen.empty()) {
    problems.emplace_back("server.admin_listen: not supported by this version");
  }
  for (const ModelConfig& model : config.models) check_model(model, problems);
  return problems;
}

}  // namespace yolod::app
