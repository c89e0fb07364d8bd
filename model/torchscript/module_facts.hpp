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

}  // namespace yolod::model::torchscript
