// The settings that a request to load a model may replace until the next load: `parameters.config` is a model
// configuration as Triton writes it. Pure functions; any thread may call them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::oip {

struct LoadOverrides {
  std::optional<std::uint32_t> workers{};
  std::optional<std::chrono::milliseconds> batch_wait{};
  std::optional<std::vector<std::uint32_t>> batch_sizes{};

  friend bool operator==(const LoadOverrides&, const LoadOverrides&) = default;
};

// Reads the configuration of the model with this name. An Error has code kInvalidParameter: the text is no
// configuration, or has a key that cannot be replaced.
[[nodiscard]] common::Outcome<LoadOverrides> parse_overrides(std::string_view config, std::string_view model);

// Replaces the settings. An Error has code kInvalidParameter: the settings do not fit the others.
[[nodiscard]] common::Outcome<void> override_settings(const LoadOverrides& overrides, common::ModelConfig& config);

}  // namespace yolod::app::api::oip
