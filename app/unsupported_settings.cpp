#include "app/unsupported_settings.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "app/process/preload.hpp"
#include "common/config/devices.hpp"
#include "common/system/runtime_directory.hpp"

namespace yolod::app {
namespace {

using common::KeyProblem;
using common::ModelConfig;
using common::ServerConfig;

template <typename Settings>
struct Rule {
  const char* key;      // relative to the settings
  const char* message;  // text of the config's error
  const char* note;     // sentence for the reference
  bool (*is_broken)(const Settings&);
};

bool names_a_gpu(const ModelConfig& model) {
  return std::any_of(model.devices.begin(), model.devices.end(), [](const auto& one) { return one != "cpu"; });
}

bool detects(const ModelConfig& model) {
  return model.task == common::Task::kDetect && !std::holds_alternative<common::IdentitySource>(model.source);
}

constexpr std::array kServerRules{
    Rule<ServerConfig>{"admin_listen",
                       "this version knows an admin by the user at the other end of a unix socket, allowed: auto, "
                       "unix:/path, \"\"",
                       "This version refuses an address that is not a unix socket.",
                       [](const ServerConfig& server) {
                         const auto& admin = server.admin_listen;
                         return !admin.empty() && admin != common::kAdminListenAuto && !admin.starts_with("unix:");
                       }},
};

constexpr std::array kModelRules{
    Rule<ModelConfig>{"task", "a Darknet network detects or classifies",
                      "A Darknet network detects or classifies, and is refused with another task.",
                      [](const ModelConfig& model) {
                        return std::holds_alternative<common::DarknetSource>(model.source) &&
                               (model.task == common::Task::kImage || model.task == common::Task::kTensor);
                      }},
    Rule<ModelConfig>{"detect.augment", "only a detector takes it", "A model that is no detector is refused with true.",
                      [](const ModelConfig& model) { return model.detect.augment && !detects(model); }},
    Rule<ModelConfig>{"device", "this yolod is built without CUDA, only auto and cpu are supported",
                      "A yolod that is built without CUDA refuses GPUs.",
                      [](const ModelConfig& model) { return !process::kBuiltWithCuda && names_a_gpu(model); }},
    Rule<ModelConfig>{"preload", "true is for device: cpu, no process may fork once it has used a GPU",
                      "A model that may run on a GPU is refused with true.",
                      [](const ModelConfig& model) {
                        return model.preload == common::AutoBool::kTrue &&
                               common::may_use_cuda(model, process::kBuiltWithCuda);
                      }},
};

}  // namespace

std::vector<KeyProblem> unsupported_settings(const common::Config& config) {
  std::vector<KeyProblem> problems;
  for (const auto& rule : kServerRules) {
    if (rule.is_broken(config.server)) problems.push_back({std::string("server.") + rule.key, rule.message});
  }
  for (std::size_t i = 0; i < config.models.size(); ++i) {
    for (const auto& rule : kModelRules) {
      if (!rule.is_broken(config.models[i])) continue;
      problems.push_back({"models[" + std::to_string(i) + "]." + rule.key, rule.message});
    }
  }
  return problems;
}

std::vector<KeyProblem> notes_on_unsupported_settings() {
  std::vector<KeyProblem> notes;
  for (const auto& rule : kServerRules) notes.push_back({std::string("server.") + rule.key, rule.note});
  for (const auto& rule : kModelRules) notes.push_back({std::string("models[].") + rule.key, rule.note});
  return notes;
}

}  // namespace yolod::app
