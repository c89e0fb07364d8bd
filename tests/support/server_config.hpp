// Makes system.yaml for tests: a server on a port that the kernel chooses, with identity models.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/deadline.hpp"

namespace yolod::tests {

// The default sandbox of a test's server. So every test also shows that a sandboxed worker can do its work.
inline constexpr std::string_view kSandbox = "required";

struct IdentityModel {
  std::string name{"echo"};
  int workers{2};
  milliseconds delay{0};
  milliseconds load_delay{0};
  bool faults{false};
  std::string load_fault{"none"};
  std::string loader_probe{};       // with `faults`: a call that the loader tries (model/forbidden_call.hpp)
  std::vector<std::string> keys{};  // additional keys of the model, one "key: value" each
};

// `server_keys` are additional keys of `server`, one "key: value" each. A `listen` among them replaces the default.
[[nodiscard]] std::string identity_config(const std::vector<IdentityModel>& models,
                                          const std::vector<std::string>& server_keys = {},
                                          std::string_view sandbox = kSandbox);

// Makes the config from models as YAML text, each beginning "  - name: ".
[[nodiscard]] std::string server_config(const std::string& models, const std::vector<std::string>& server_keys = {},
                                        std::string_view sandbox = kSandbox);

// Makes a config with the smallest real network of the test data and one worker.
[[nodiscard]] std::string small_network_config(const std::filesystem::path& data);

}  // namespace yolod::tests
