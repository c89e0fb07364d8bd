// The settings of system.yaml as plain values, with defaults, absolute paths and checked ranges.
// common/config/schema.hpp reads them. Any thread may use a copy.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/config/access_config.hpp"
#include "common/config/model_config.hpp"
#include "common/config/postgres_config.hpp"
#include "common/config/protocol_config.hpp"
#include "common/config/server_config.hpp"
#include "common/domain/sandbox_state.hpp"
#include "common/log_settings.hpp"

namespace yolod::common {

inline constexpr std::size_t kMostModels = 64;

struct Config {
  ServerConfig server;
  AccessConfig access;
  DeepStackConfig deepstack;
  DoodsConfig doods;
  OipConfig oip;
  RoboflowConfig roboflow;
  MemoryConfig memory;
  LoggingConfig logging;
  std::optional<PostgresConfig> postgres;
  SandboxMode sandbox{SandboxMode::kAuto};
  std::vector<ModelConfig> models;
  std::string default_model;  // the first model's name if the file names none
  // The front-end logs these lines once at the start. Each names a setting that was accepted but has no effect.
  std::vector<std::string> warnings;

  // Returns whether the server has accounts of people. Their database is PostgreSQL, or else a file in
  // server.state_dir.
  [[nodiscard]] bool has_accounts() const { return postgres.has_value() || !server.state_dir.empty(); }
  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace yolod::common
