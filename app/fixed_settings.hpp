// The settings that a reload cannot change, because the parts that use them exist since the start.
//
// The functions are pure: any thread may call them.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "common/config/config.hpp"

namespace yolod::app {

// Returns `wanted` with the fixed settings of `present`. Calls `tell` with the key of each setting that differs.
[[nodiscard]] common::Config keep_fixed_settings(const common::Config& present, common::Config wanted,
                                                 const std::function<void(std::string_view key)>& tell);

// Returns the keys of all these settings.
[[nodiscard]] std::vector<std::string_view> fixed_settings();

}  // namespace yolod::app
