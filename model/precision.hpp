// Which precision a network runs in on a device.
#pragma once

#include <string>
#include <string_view>

#include "common/config.hpp"
#include "common/outcome.hpp"

namespace yolod::model {

// Whether this CPU multiplies bf16 in hardware (AVX512_BF16 or AMX-BF16) and the kernel lets us use its registers.
// Without that bf16 is emulated, and slower than float.
[[nodiscard]] bool cpu_has_native_bf16();

// Never kAuto. `auto` takes bf16 where the CPU has it natively, else fp32; fp16 is an Error (kBadModel) on a CPU.
[[nodiscard]] common::Outcome<common::Precision> resolve_precision(common::Precision asked, std::string_view device,
                                                                   bool native_bf16);

// "fp32", "bf16", "fp16", "auto".
[[nodiscard]] std::string_view to_string(common::Precision precision);

}  // namespace yolod::model
