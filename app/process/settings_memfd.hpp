// A model's settings for the process that loads it: a sealed file in memory, since an argument list would show in ps.
#pragma once

#include <string>

#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::process {

// `yaml` is emit_model() of the model. kSystem where the kernel refuses.
[[nodiscard]] common::Outcome<common::UniqueFd> make_settings_memfd(const std::string& yaml);

}  // namespace yolod::app::process
