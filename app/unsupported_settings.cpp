#include "app/unsupported_settings.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "app/process/preload.hpp"
#include "common/config/devices.hpp"
#include "common/system/runtime_directory.hpp"

namespace yolod::app {
namespace {

using common::AccessConfig;
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
    Rule<ServerConfig>{"api_keys_file", "not supported by this version",
                       "This version does not support API keys and refuses this key.",
                       [](const ServerConfig& server) { return !server.api_keys_file.empty(); }},
    Rule<ServerConfig>{"admin_listen",
                       "this version knows an admin by the user at the other end of a unix socket, allowed: auto, "
                       "unix:/path, \"\"",
                       "This version refuses an address that is not a unix socket.",
                       [](const ServerConfig& server) {
                         const auto& admin = server.admin_listen;
                         return !admin.empty() && admin != common::kAdminListenAuto && !admin.starts_with("unix:");
                       }},
};

constexpr const char* kNotSupported = "not supported by this version";

constexpr std::array kAccessRules{
    Rule<AccessConfig>{"audit_log", kNotSupported, "This version does not write this file and refuses this key.",
                       [](const AccessConfig& access) { return !access.audit_log.empty(); }},
    Rule<AccessConfig>{"per_key.requests_per_second", kNotSupported,
                       "This version does not limit the rate of a key and refuses a value other than 0.",
                       [](const AccessConfig& access) { return access.per_key.requests_per_second != 0; }},
    Rule<AccessConfig>{"per_key.requests_in_flight", kNotSupported,
                       "This version does not limit the requests in flight of a key and refuses a value other than 0.",
                       [](const AccessConfig& access) { return access.per_key.requests_in_flight != 0; }},
    Rule<AccessConfig>{"per_address.requests_per_second", kNotSupported,
                       "This version does not limit the rate of an address and refuses a value other than 0.",
                       [](const AccessConfig& access) { return access.per_address.requests_per_second != 0; }},
    Rule<AccessConfig>{
        "per_address.requests_in_flight", kNotSupported,
        "This version does not limit the requests in flight of an address and refuses a value other than 0.",
        [](const AccessConfig& access) { return access.per_address.requests_in_flight != 0; }},
    Rule<AccessConfig>{"per_address.connections", kNotSupported,
                       "This version does not limit the connections of an address and refuses a value other than 0.",
                       [](const AccessConfig& access) { return access.per_address.connections != 0; }},
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

// An attacker tries these passwords first.
constexpr std::array<std::string_view, 8> kWellKnownPasswords{"root",  "postgres", "password", "admin",
                                                              "yolod", "secret",   "changeme", "123456"};

bool is_public(const common::ListenAddress& listener) {
  const std::string_view address = listener.address;
  return !address.starts_with("unix:") && !address.starts_with("127.") && !address.starts_with("[::1]");
}

constexpr const char* kPasswordNote =
    "A well-known password such as root is refused if server.listen has an address that other machines can reach.";

std::optional<KeyProblem> well_known_password(const common::Config& config) {
  if (!config.postgres.has_value()) return std::nullopt;
  const auto& password = config.postgres->password;
  const auto& listen = config.server.listen;
  if (std::find(kWellKnownPasswords.begin(), kWellKnownPasswords.end(), password) == kWellKnownPasswords.end() ||
      std::none_of(listen.begin(), listen.end(), is_public)) {
    return std::nullopt;
  }
  return KeyProblem{"postgres.password",
                    "this password is well known, and server.listen has an address that other machines can reach: "
                    "give the database's user another password, or listen only at 127.0.0.1, [::1] or a unix socket"};
}

}  // namespace

std::vector<KeyProblem> unsupported_settings(const common::Config& config) {
  std::vector<KeyProblem> problems;
  if (auto found = well_known_password(config)) problems.push_back(*std::move(found));
  for (const auto& rule : kServerRules) {
    if (rule.is_broken(config.server)) problems.push_back({std::string("server.") + rule.key, rule.message});
  }
  for (const auto& rule : kAccessRules) {
    if (rule.is_broken(config.access)) problems.push_back({std::string("access.") + rule.key, rule.message});
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
  notes.push_back({"postgres.password", kPasswordNote});
  for (const auto& rule : kServerRules) notes.push_back({std::string("server.") + rule.key, rule.note});
  for (const auto& rule : kAccessRules) notes.push_back({std::string("access.") + rule.key, rule.note});
  for (const auto& rule : kModelRules) notes.push_back({std::string("models[].") + rule.key, rule.note});
  return notes;
}

}  // namespace yolod::app
