// Facts about a TorchScript file that are known before any of it has run. Plain values.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace yolod::model::torchscript {

struct ModuleFacts {
  // The number of floating-point numbers: parameters, buffers, and constants in the code, where a frozen module has
  // its parameters.
  std::int64_t parameters{0};
  std::set<std::string> precisions;  // of these numbers: "fp32", "fp16", "bf16", "fp64"
  std::string traced_on;             // a device other than the CPU in its code, such as "cuda:0"; mostly empty
};

// The ways to run a module, slowest first. yolod uses a form only if its output equals the output of the unchanged
// file.
enum class ScriptForm {
  kAsItIs,
  kFrozen,  // weights are constants; submodules and operations without effect are removed
  kFused    // and oneDNN computes its convolutions, packed once, with the activations that follow
};
[[nodiscard]] constexpr const char* name_of(ScriptForm form) {
  switch (form) {
    case ScriptForm::kAsItIs: break;
    case ScriptForm::kFrozen: return "frozen";
    case ScriptForm::kFused: return "fused";
  }
  return "as it is";
}

}  // namespace yolod::model::torchscript
