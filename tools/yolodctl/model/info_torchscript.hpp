// Implements yolodctl info for a TorchScript file.
#pragma once

#include "tools/yolodctl/model/model_options.hpp"

namespace yolod::tools {

// Prints the facts about the file in `chosen` and their origins, and returns the exit code. Call it in
// yolodctl-model, because choose_model() has begun the guarded load of the file.
[[nodiscard]] int info_torchscript(const ChosenModel& chosen, bool as_json);

}  // namespace yolod::tools
