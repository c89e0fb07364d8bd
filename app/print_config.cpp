#include "app/print_config.hpp"

#include <cstdio>
#include <string>

#include "common/config/schema.hpp"

namespace yolod::app {

common::Outcome<void> print_config(const common::Config& config) {
  auto settings = config;
  settings.warnings.clear();
  const bool has_password = settings.postgres.has_value() && !settings.postgres->password.empty();
  if (has_password) settings.postgres->password.clear();
  const auto text = common::emit_config(settings);
  if (common::parse_config(text, "", "/").config != settings) {
    return common::Error{common::ErrorCode::kBadConfig,
                         "YAML cannot hold this config: a path in it has bytes that are not text"};
  }
  for (const auto& warning : config.warnings) std::printf("# %s\n", warning.c_str());
  if (has_password) std::printf("# postgres.password is set, and is not shown\n");
  std::fputs(text.c_str(), stdout);
  return {};
}

}  // namespace yolod::app
