// Passes settings to a child: a model to its loader or worker, a database to yolod-accounts. The settings are in a
// sealed memfd, because ps shows arguments.
#pragma once

#include <string_view>

#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::process {

// `settings` is emit_model() of a model, or the encoded settings of yolod-accounts. Returns kSystem if the kernel
// refuses.
[[nodiscard]] common::Outcome<common::UniqueFd> make_settings_memfd(std::string_view settings);

}  // namespace yolod::app::process
