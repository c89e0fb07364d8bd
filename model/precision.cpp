#include "model/precision.hpp"

#include <cstdint>

#include "model/bad_model.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace yolod::model {

using common::Outcome;
using common::Precision;

#if defined(__x86_64__)
namespace {

// Reads XCR0, which says which register files the kernel saves. Only these may be used.
std::uint64_t enabled_register_files() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32U) | low;
}

}  // namespace

// The bits are defined in the Intel 64 manual: volume 2A, CPUID, and volume 1, 13.3 for XCR0.
CpuBf16 cpu_bf16() {
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return CpuBf16::kNone;
  const bool has_xgetbv = (ecx & (1U << 27U)) != 0;
  if (!has_xgetbv) return CpuBf16::kNone;
  const auto registers = enabled_register_files();
  constexpr std::uint64_t kAvx512State = 0xE6;   // SSE, AVX, opmask, upper ZMM, ZMM 16 to 31
  constexpr std::uint64_t kTileState = 0x60000;  // tile configuration and data

  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return CpuBf16::kNone;
  const auto subleaves = eax;
  constexpr std::uint32_t kAvx512Core = (1U << 16U) | (1U << 17U) | (1U << 30U) | (1U << 31U);  // F, DQ, BW, VL
  const bool has_avx512 = (ebx & kAvx512Core) == kAvx512Core && (registers & kAvx512State) == kAvx512State;
  const bool amx_bf16 = (edx & (1U << 22U)) != 0 && (registers & kTileState) == kTileState;
  bool avx512_bf16 = false;
  if (subleaves >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0) {
    avx512_bf16 = (eax & (1U << 5U)) != 0 && (registers & kAvx512State) == kAvx512State;
  }
  if (avx512_bf16 || amx_bf16) return CpuBf16::kNative;
  return has_avx512 ? CpuBf16::kEmulated : CpuBf16::kNone;
}
#else
CpuBf16 cpu_bf16() { return CpuBf16::kEmulated; }
#endif

Outcome<Precision> resolve_precision(Precision asked, std::string_view device, CpuBf16 bf16) {
  const bool on_cpu = device == "cpu";
  switch (asked) {
    case Precision::kFp32: return Precision::kFp32;
    case Precision::kBf16:
      if (on_cpu && bf16 == CpuBf16::kNone) {
        return bad_model(
            "precision: bf16 needs a processor with AVX-512, which this processor lacks; use fp32 or auto");
      }
      return Precision::kBf16;
    case Precision::kFp16:
      if (on_cpu) return bad_model("precision: fp16 needs a CUDA device; on a CPU use fp32, bf16 or auto");
      return Precision::kFp16;
    case Precision::kAuto:
      if (!on_cpu) return Precision::kFp16;
      return bf16 == CpuBf16::kNative ? Precision::kBf16 : Precision::kFp32;
  }
  return Precision::kFp32;
}

Outcome<Precision> script_precision(Precision asked, std::string_view device) {
  return resolve_precision(asked == Precision::kAuto ? Precision::kFp32 : asked, device, CpuBf16::kEmulated);
}

std::string_view to_string(Precision precision) {
  switch (precision) {
    case Precision::kAuto: return "auto";
    case Precision::kFp32: return "fp32";
    case Precision::kBf16: return "bf16";
    case Precision::kFp16: return "fp16";
  }
  return "fp32";
}

}  // namespace yolod::model
