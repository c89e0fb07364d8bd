// Returns the schema of system.yaml as data for docs/configuration.md.
#pragma once

#include <string>
#include <vector>

namespace yolod::common {

struct ConfigKey {
  std::string name;
  std::string other_name;  // a second spelling that the reader accepts; may be empty
  bool required{false};
  std::string default_value;  // as YAML; empty if when_absent describes it, or if the key is required
  std::string when_absent;    // the behaviour without the key
  std::string allowed;
  std::string meaning;  // one sentence
};

// A map of the config, with those of its keys that are not maps.
struct ConfigSection {
  std::string key;  // "server.tls", "models[].batch"; empty for the top level
  bool required{false};
  std::string meaning;  // one sentence; empty for the top level
  std::vector<ConfigKey> keys;
};

// Returns every section: the top level first, and each section before the sections inside it. Any thread may call
// it.
[[nodiscard]] std::vector<ConfigSection> config_reference();

}  // namespace yolod::common
