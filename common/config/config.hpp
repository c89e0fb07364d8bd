// The settings of system.yaml as plain values, after defaults, paths made absolute and ranges checked.
// Read by common/config/schema.hpp. Values only: any thread, copied at will.
#pragma once

#include <string>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/config/server_config.hpp"
#include "common/domain/sandbox_state.hpp"
#include "common/log_settings.hpp"

namespace yolod::common {

struct Config {
  ServerConfig server;
  MemoryConfig memory;
  LoggingConfig logging;
  SandboxMode sandbox{SandboxMode::kAuto};
  std::vector<ModelConfig> models;
  std::string default_model;  // the first model's name where the file names none
  // Said once in the log at start: settings that were accepted but have no effect.
  std::vector<std::string> warnings;
  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace yolod::common
