// Reads the top level of system.yaml, in its short form and its long form.
#pragma once

#include <cstdint>
#include <optional>

#include "common/config/config.hpp"
#include "common/config/fields.hpp"

namespace yolod::common {

// The model of the short form. It is added to config.models when the whole file has been read.
struct ShortForm {
  bool used{false};
  DarknetSource source;
  std::uint32_t max_workers{1};
  std::optional<InputSize> img_size;
};

[[nodiscard]] Fields root_fields(Config& config, ShortForm& short_form);

}  // namespace yolod::common
