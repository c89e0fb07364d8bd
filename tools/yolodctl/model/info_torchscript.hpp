// yolodctl info of a TorchScript file.
#pragma once

#include "tools/yolodctl/model/model_options.hpp"

namespace yolod::tools {

// Prints what is known of the file that `chosen` names, and where each fact comes from. To be called in the child that
// choose_model() made. Returns the exit code.
[[nodiscard]] int info_torchscript(const ChosenModel& chosen, bool as_json);

}  // namespace yolod::tools
