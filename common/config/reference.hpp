// The schema of system.yaml as data for a page that people read, docs/configuration.md.
#pragma once

#include <string>
#include <vector>

namespace yolod::common {

struct ConfigKey {
  std::string name;
  std::string other_name;  // a second spelling that is read as well; may be empty
  bool required{false};
  std::string default_value;  // as YAML; empty where the next line says it, or the key is required
  std::string when_absent;    // in words: what holds without the key
  std::string allowed;
  std::string meaning;  // one sentence
};

// A map of the config, with the keys that are no maps themselves.
struct ConfigSection {
  std::string key;  // "server.tls", "models[].batch"; empty for the top level
  bool required{false};
  std::string meaning;  // one sentence; empty for the top level
  std::vector<ConfigKey> keys;
};

// Lists every section: the top level first, and each section before the sections inside it. Any thread may call it.
[[nodiscard]] std::vector<ConfigSection> config_reference();

}  // namespace yolod::common
