// Which precision a network runs in on a device.
#pragma once

#include <string>
#include <string_view>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"

namespace yolod::model {

// What this CPU makes of bf16, with the registers that the kernel lets us use.
enum class CpuBf16 {
  kNone,      // oneDNN has no kernels for it: less than AVX-512
  kEmulated,  // computed, and slower than float
  kNative     // AVX512_BF16 or AMX-BF16
};
[[nodiscard]] CpuBf16 cpu_bf16();

// Never kAuto. `auto` takes bf16 where the CPU has it natively, else fp32. On a CPU fp16 is an Error (kBadModel), and
// so is bf16 where there are no kernels for it.
[[nodiscard]] common::Outcome<common::Precision> resolve_precision(common::Precision asked, std::string_view device,
                                                                   CpuBf16 bf16);

// Of a TorchScript file: fp32 for `auto`, since a module that was not written for bf16 may lose its boxes in it;
// LibTorch computes bf16 on any CPU. Else as resolve_precision().
[[nodiscard]] common::Outcome<common::Precision> script_precision(common::Precision asked, std::string_view device);

// "fp32", "bf16", "fp16", "auto".
[[nodiscard]] std::string_view to_string(common::Precision precision);

}  // namespace yolod::model
