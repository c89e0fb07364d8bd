// What is wrong with a config. Plain values: any thread.
#pragma once

#include <string>

namespace yolod::common {

// One problem in a config. to_string: `file:line:column: key: what is wrong, what is allowed`.
// Line and column count from 1; a `--set` reads `--set KEY=VALUE: key: ...` instead.
struct ConfigProblem {
  std::string where;    // "system.yaml:3:7" or "--set server.listen=..."
  std::string key;      // "models[0].workers"; empty for a syntax error
  std::string message;  // what is wrong, what is allowed
};
[[nodiscard]] std::string to_string(const ConfigProblem& problem);

}  // namespace yolod::common
