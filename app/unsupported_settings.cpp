#include "app/unsupported_settings.hpp"

#include <algorithm>
#include <string>

#include "app/process/preload.hpp"
#include "common/config/devices.hpp"
#include "common/system/runtime_directory.hpp"

namespace yolod::app {
namespace {

using common::KeyProblem;
using common::ModelConfig;

void check_model(const ModelConfig& model, std::size_t index, std::vector<KeyProblem>& problems) {
  const auto refuse = [&](bool set, const char* key, const char* what) {
    if (set) problems.push_back({"models[" + std::to_string(index) + "]." + key, what});
  };
  const bool darknet = std::holds_alternative<common::DarknetSource>(model.source);
  refuse(darknet && (model.task == common::Task::kImage || model.task == common::Task::kTensor), "task",
         "a Darknet network detects or classifies");
  const bool detects =
      model.task == common::Task::kDetect && !std::holds_alternative<common::IdentitySource>(model.source);
  refuse(model.detect.augment && !detects, "detect.augment", "only a detector takes it");
  const bool gpu =
      std::any_of(model.devices.begin(), model.devices.end(), [](const auto& one) { return one != "cpu"; });
  refuse(gpu && !process::kBuiltWithCuda, "device",
         "this yolod is built without CUDA, only auto and cpu are supported");
  refuse(model.preload == common::AutoBool::kTrue && common::may_use_cuda(model, process::kBuiltWithCuda), "preload",
         "true is for device: cpu, no process may fork once it has used a GPU");
}

}  // namespace

std::vector<KeyProblem> unsupported_settings(const common::Config& config) {
  std::vector<KeyProblem> problems;
  if (config.server.tls != common::TlsConfig{}) problems.push_back({"server.tls", "not supported by this version"});
  if (!config.server.api_keys_file.empty()) {
    problems.push_back({"server.api_keys_file", "not supported by this version"});
  }
  const auto& admin = config.server.admin_listen;
  if (!admin.empty() && admin != common::kAdminListenAuto && !admin.starts_with("unix:")) {
    problems.push_back({"server.admin_listen",
                        admin +
                            " is not supported by this version, which knows an admin by the user at the other end of "
                            "a unix socket; auto, unix:/path and \"\" are allowed"});
  }
  for (std::size_t i = 0; i < config.models.size(); ++i) check_model(config.models[i], i, problems);
  return problems;
}

}  // namespace yolod::app
