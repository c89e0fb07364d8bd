#include "tests/support/server_config.hpp"

#include <algorithm>
#include <sstream>

namespace yolod::tests {

std::string identity_config(const std::vector<IdentityModel>& models, const std::vector<std::string>& server_keys,
                            std::string_view sandbox) {
  std::ostringstream text;
  for (const auto& model : models) {
    text << "  - name: " << model.name << "\n    workers: " << model.workers
         << "\n    identity: {delay: " << model.delay.count() << "ms, load_delay: " << model.load_delay.count()
         << "ms, faults: " << (model.faults ? "true" : "false") << ", load_fault: " << model.load_fault
         << ", loader_probe: \"" << model.loader_probe << "\"}\n";
    for (const auto& key : model.keys) text << "    " << key << "\n";
  }
  return server_config(text.str(), server_keys, sandbox);
}

std::string server_config(const std::string& models, const std::vector<std::string>& server_keys,
                          std::string_view sandbox) {
  std::ostringstream text;
  text << "server:\n";
  const bool listens = std::any_of(server_keys.begin(), server_keys.end(),
                                   [](const std::string& key) { return key.starts_with("listen:"); });
  if (!listens) text << "  listen: [127.0.0.1:0]\n";
  for (const auto& key : server_keys) text << "  " << key << "\n";
  // The arena is small, so that many servers can run side by side.
  text << "memory: {input_arena: 64MiB}\nsandbox: " << sandbox << "\nmodels:\n" << models;
  return text.str();
}

std::string small_network_config(const std::filesystem::path& data) {
  const auto folder = data / "darknet" / "yoloface-50k";
  return server_config(
      "  - name: network\n    workers: 1\n    darknet: {cfg: " + (folder / "yoloface-50k.cfg").string() +
      ", weights: " + (folder / "yoloface-50k.weights").string() + ", names: " + (folder / "label.names").string() +
      "}\n");
}

}  // namespace yolod::tests
