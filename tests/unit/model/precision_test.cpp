#include "model/precision.hpp"

#include <catch2/catch.hpp>

using yolod::common::ErrorCode;
using yolod::common::Precision;
using yolod::model::resolve_precision;

TEST_CASE("Precision: auto takes bf16 only where the CPU has it", "[model][unit]") {
  CHECK(resolve_precision(Precision::kAuto, "cpu", true).value() == Precision::kBf16);
  CHECK(resolve_precision(Precision::kAuto, "cpu", false).value() == Precision::kFp32);
  CHECK(resolve_precision(Precision::kAuto, "cuda:0", false).value() == Precision::kFp16);
}

TEST_CASE("Precision: what is asked for is taken, fp16 on a CPU excepted", "[model][unit]") {
  CHECK(resolve_precision(Precision::kFp32, "cpu", true).value() == Precision::kFp32);
  CHECK(resolve_precision(Precision::kBf16, "cpu", false).value() == Precision::kBf16);
  CHECK(resolve_precision(Precision::kFp16, "cuda:0", false).value() == Precision::kFp16);
  CHECK(resolve_precision(Precision::kFp16, "cpu", true).error().code == ErrorCode::kBadModel);
}

TEST_CASE("Precision: asking the CPU does not fail, and has one answer", "[model][unit]") {
  CHECK(yolod::model::cpu_has_native_bf16() == yolod::model::cpu_has_native_bf16());
}
