#include "app/fixed_settings.hpp"

#include <array>
#include <utility>

namespace yolod::app {
namespace {

using common::AccessConfig;
using common::Config;
using common::DeepStackConfig;
using common::MemoryConfig;
using common::ServerConfig;

struct FixedSetting {
  std::string_view key;
  bool (*differs)(const Config& present, const Config& wanted);
  void (*keep)(const Config& present, Config& wanted);
  bool is_of_listeners{false};  // fixed only if the addresses change, or whether they have TLS
};

// `kPath` are the members that lead from the config to the setting.
template <auto... kPath>
constexpr FixedSetting fixed(std::string_view key, bool is_of_listeners = false) {
  return {key,
          [](const Config& present, const Config& wanted) { return (present.*....*kPath) != (wanted.*....*kPath); },
          [](const Config& present, Config& wanted) { (wanted.*....*kPath) = (present.*....*kPath); }, is_of_listeners};
}

constexpr std::array kFixedSettings{
    fixed<&Config::server, &ServerConfig::listen>("server.listen", true),
    fixed<&Config::server, &ServerConfig::admin_listen>("server.admin_listen"),
    fixed<&Config::server, &ServerConfig::tls>("server.tls", true),
    fixed<&Config::server, &ServerConfig::max_connections>("server.max_connections"),
    fixed<&Config::server, &ServerConfig::state_dir>("server.state_dir"),
    fixed<&Config::server, &ServerConfig::models_dir>("server.models_dir"),
    // yolod-accounts has these settings since its start.
    fixed<&Config::access, &AccessConfig::register_policy>("access.register"),
    fixed<&Config::access, &AccessConfig::session_idle>("access.session_idle"),
    fixed<&Config::access, &AccessConfig::session_lifetime>("access.session_lifetime"),
    fixed<&Config::postgres>("postgres"),
    fixed<&Config::deepstack, &DeepStackConfig::enabled>("deepstack.enabled"),
    fixed<&Config::doods, &common::DoodsConfig::enabled>("doods.enabled"),
    fixed<&Config::oip, &common::OipConfig::enabled>("oip.enabled"),
    fixed<&Config::roboflow, &common::RoboflowConfig::enabled>("roboflow.enabled"),
    fixed<&Config::memory, &MemoryConfig::input_arena_bytes>("memory.input_arena"),
};

// Returns whether both configs have the same listeners, with TLS at the same addresses. The TLS files may differ.
bool listens_at_same(const ServerConfig& a, const ServerConfig& b) {
  const auto without_files = [](const ServerConfig& server) {
    auto listen = server.listen;
    for (auto& listener : listen) {
      const bool has_tls = !listener.tls.empty() || !server.tls.empty();
      listener.tls = {};
      if (has_tls) listener.tls.certificate = "some";
    }
    return listen;
  };
  return without_files(a) == without_files(b);
}

}  // namespace

Config keep_fixed_settings(const Config& present, Config wanted,
                           const std::function<void(std::string_view key)>& tell) {
  const bool listens_alike = listens_at_same(present.server, wanted.server);
  for (const FixedSetting& setting : kFixedSettings) {
    if ((setting.is_of_listeners && listens_alike) || !setting.differs(present, wanted)) continue;
    tell(setting.key);
    setting.keep(present, wanted);
  }
  return wanted;
}

std::vector<std::string_view> fixed_settings() {
  std::vector<std::string_view> keys;
  for (const FixedSetting& setting : kFixedSettings) keys.push_back(setting.key);
  return keys;
}

}  // namespace yolod::app
