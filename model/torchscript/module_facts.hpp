// What a TorchScript file holds, before anything of it has run. Plain values.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace yolod::model::torchscript {

struct ModuleFacts {
  // Floating-point numbers: parameters, buffers, and the constants in its code, where a frozen module has its own.
  std::int64_t parameters{0};
  std::set<std::string> precisions;  // theirs: "fp32", "fp16", "bf16", "fp64"
  std::string traced_on;             // a device other than the CPU that its code names, "cuda:0"; mostly empty
};

// How a module is run, slowest first: what gives another output than the file as it is, is not done.
enum class ScriptForm {
  kAsItIs,
  kFrozen,  // weights are constants, submodules and what does nothing are gone
  kFused    // and its convolutions are oneDNN's, packed once, with the activations that follow them
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
