// Chooses the precision in which a network runs on a device.
#pragma once

#include <string>
#include <string_view>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"

namespace yolod::model {

// How this CPU computes bf16, with the registers that the kernel permits.
enum class CpuBf16 {
  kNone,      // oneDNN has no kernels, because the CPU lacks AVX-512
  kEmulated,  // computed in software, slower than float
  kNative     // AVX512_BF16 or AMX-BF16
};
[[nodiscard]] CpuBf16 cpu_bf16();

// Never returns kAuto. `auto` becomes bf16 if the CPU supports it natively, otherwise fp32. On a CPU, fp16 is an
// Error (kBadModel), and so is bf16 without kernels for it.
[[nodiscard]] common::Outcome<common::Precision> resolve_precision(common::Precision asked, std::string_view device,
                                                                   CpuBf16 bf16);

// The precision of a TorchScript file. `auto` becomes fp32, because a module that was not written for bf16 may lose
// boxes in it. LibTorch computes bf16 on any CPU. Other values are as in resolve_precision().
[[nodiscard]] common::Outcome<common::Precision> script_precision(common::Precision asked, std::string_view device);

// Returns "fp32", "bf16", "fp16" or "auto".
[[nodiscard]] std::string_view to_string(common::Precision precision);

}  // namespace yolod::model
