// `--set KEY=VALUE`: changes one place of a config's tree before it is read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/config/yaml.hpp"

namespace yolod::common {

// Puts `value` where `key` says: "server.listen", "models[0].workers", "models.NAME.workers" (NAME: the `name` of one
// of the list's maps). Maps on the way are made where there is nothing; index N of a list of N adds an item. Returns
// what is wrong with the key, with the tree unchanged except for maps made on the way.
[[nodiscard]] std::optional<std::string> set_value(YamlNode& root, std::string_view key, YamlNode value);

}  // namespace yolod::common
