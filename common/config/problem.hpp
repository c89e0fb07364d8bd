// Describes the problems of a config as plain values, which any thread may use.
#pragma once

#include <string>

namespace yolod::common {

// Describes one problem of a config. to_string() returns `file:line:column: key: what is wrong, what is allowed`.
// Lines and columns count from 1. For an override it returns `--set KEY=VALUE: key: ...`.
struct ConfigProblem {
  std::string where;    // "system.yaml:3:7" or "--set server.listen=..."
  std::string key;      // "models[0].workers"; empty for a syntax error
  std::string message;  // what is wrong, what is allowed
};
[[nodiscard]] std::string to_string(const ConfigProblem& problem);

}  // namespace yolod::common
