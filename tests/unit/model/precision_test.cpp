#include "model/precision.hpp"

#include <catch2/catch.hpp>
#include <string>

using yolod::common::ErrorCode;
using yolod::common::Precision;
using yolod::model::CpuBf16;
using yolod::model::resolve_precision;

TEST_CASE("Precision: auto takes bf16 only where the CPU has it", "[model][unit]") {
  CHECK(resolve_precision(Precision::kAuto, "cpu", CpuBf16::kNative).value() == Precision::kBf16);
  CHECK(resolve_precision(Precision::kAuto, "cpu", CpuBf16::kEmulated).value() == Precision::kFp32);
  CHECK(resolve_precision(Precision::kAuto, "cpu", CpuBf16::kNone).value() == Precision::kFp32);
  CHECK(resolve_precision(Precision::kAuto, "cuda:0", CpuBf16::kNone).value() == Precision::kFp16);
}

TEST_CASE("Precision: an explicit precision is used, except fp16 on a CPU", "[model][unit]") {
  CHECK(resolve_precision(Precision::kFp32, "cpu", CpuBf16::kNative).value() == Precision::kFp32);
  CHECK(resolve_precision(Precision::kBf16, "cpu", CpuBf16::kEmulated).value() == Precision::kBf16);
  CHECK(resolve_precision(Precision::kFp16, "cuda:0", CpuBf16::kNone).value() == Precision::kFp16);
  CHECK(resolve_precision(Precision::kFp16, "cpu", CpuBf16::kNative).error().code == ErrorCode::kBadModel);
}

TEST_CASE("Precision: bf16 is refused on a CPU for which no kernels exist", "[model][unit]") {
  const auto refused = resolve_precision(Precision::kBf16, "cpu", CpuBf16::kNone);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kBadModel);
  CHECK(refused.error().message.find("AVX-512") != std::string::npos);
  CHECK(resolve_precision(Precision::kBf16, "cuda:0", CpuBf16::kNone).value() == Precision::kBf16);
}

TEST_CASE("Precision: the CPU query always succeeds and always returns the same answer", "[model][unit]") {
  CHECK(yolod::model::cpu_bf16() == yolod::model::cpu_bf16());
}
