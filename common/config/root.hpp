// The top level of system.yaml, both forms of it.
#pragma once

#include <cstdint>
#include <optional>

#include "common/config/config.hpp"
#include "common/config/fields.hpp"

namespace yolod::common {

// The model of the short form. config.models gets it when the whole file was read.
struct ShortForm {
  bool used{false};
  DarknetSource source;
  std::uint32_t max_workers{1};
  std::optional<InputSize> img_size;
};

[[nodiscard]] Fields root_fields(Config& config, ShortForm& short_form);

}  // namespace yolod::common
