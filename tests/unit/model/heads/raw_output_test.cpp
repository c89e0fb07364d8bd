#include "model/heads/raw_output.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

namespace yolod::model::heads {
namespace {

std::vector<float> values_of(const common::TensorArray& array) {
  std::vector<float> values(array.bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

TEST_CASE("RawOutput: objectness is a part of the scores, and candidates become columns", "[model][unit]") {
  const std::vector<float> head{1, 2, 3, 4, 0.5F, 0.5F, 1, 5, 6, 7, 8, 0.25F, 1, 0};
  const auto array = raw_output(head, {HeadLayout::kByObjectness, 2});
  CHECK(array.shape == std::vector<std::int64_t>{6, 2});
  CHECK(values_of(array) == std::vector<float>{1, 5, 2, 6, 3, 7, 4, 8, 0.25F, 0.25F, 0.5F, 0});
}

TEST_CASE("RawOutput: fractions become pixels, and other layouts keep their form", "[model][unit]") {
  const std::vector<float> scores{0.5F, 0.25F, 0.5F, 0.125F, 0.75F};
  const auto array = raw_output(scores, {HeadLayout::kByScores, 1, 100, 200});
  CHECK(array.shape == std::vector<std::int64_t>{5, 1});
  CHECK(values_of(array) == std::vector<float>{50, 50, 50, 25, 0.75F});
  const std::vector<float> final_rows{0.5F, 0.25F, 1, 1, 0.75F, 3};
  const auto rows = raw_output(final_rows, {HeadLayout::kFinal, 4, 100, 200});
  CHECK(rows.shape == std::vector<std::int64_t>{1, 6});
  CHECK(values_of(rows) == std::vector<float>{50, 50, 100, 200, 0.75F, 3});
}

}  // namespace
}  // namespace yolod::model::heads
