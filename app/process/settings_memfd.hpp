// Passes a model's settings to the process that loads it. The settings are in a sealed memfd, because ps shows
// arguments.
#pragma once

#include <string>

#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::process {

// `yaml` is emit_model() of the model. Returns kSystem if the kernel refuses.
[[nodiscard]] common::Outcome<common::UniqueFd> make_settings_memfd(const std::string& yaml);

}  // namespace yolod::app::process
