// Implements `--set KEY=VALUE`, which changes one place of a config's tree before it is read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/config/yaml.hpp"

namespace yolod::common {

// Sets the value at `key`: "server.listen", "models[0].workers", "models.NAME.workers" (NAME is the `name` of a map
// in the list). Creates missing maps on the way; index N of a list of N items appends an item. If the key is invalid,
// returns the reason, and the tree is unchanged except for created maps.
[[nodiscard]] std::optional<std::string> set_value(YamlNode& root, std::string_view key, YamlNode value);

}  // namespace yolod::common
