// system.yaml for tests: a server on a port of the kernel's choice, with identity models.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/deadline.hpp"

namespace yolod::tests {

// What every test's server has unless it says otherwise: so whatever a test has a worker do, a sealed one can do it.
inline constexpr std::string_view kSandbox = "required";

struct IdentityModel {
  std::string name{"echo"};
  int workers{2};
  milliseconds delay{0};
  milliseconds load_delay{0};
  bool faults{false};
  std::string load_fault{"none"};
  std::string loader_probe{};       // with `faults`: a call that the sealed loader tries (model/forbidden_call.hpp)
  std::vector<std::string> keys{};  // more of the model's keys, one "key: value" each
};

// `server_keys` are more keys of `server`, one "key: value" each; a `listen` among them stands in for ours.
[[nodiscard]] std::string identity_config(const std::vector<IdentityModel>& models,
                                          const std::vector<std::string>& server_keys = {},
                                          std::string_view sandbox = kSandbox);

// The same with models as YAML text, each beginning "  - name: ".
[[nodiscard]] std::string server_config(const std::string& models, const std::vector<std::string>& server_keys = {},
                                        std::string_view sandbox = kSandbox);

// The smallest real network of the test data, with one worker.
[[nodiscard]] std::string small_network_config(const std::filesystem::path& data);

}  // namespace yolod::tests
