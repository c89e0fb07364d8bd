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

TEST_CASE("RawOutput: any number of candidates becomes columns", "[model][unit]") {
  constexpr std::size_t kClasses = 3;
  constexpr std::size_t kRow = 5 + kClasses;
  for (const std::size_t count : {0U, 1U, 15U, 16U, 17U, 33U}) {
    CAPTURE(count);
    std::vector<float> head(count * kRow);
    for (std::size_t i = 0; i < head.size(); ++i) head[i] = static_cast<float>(i % 251) / 8;
    const auto values = values_of(raw_output(head, {HeadLayout::kByObjectness, kClasses, 100, 200}));
    REQUIRE(values.size() == count * (4 + kClasses));
    for (std::size_t i = 0; i < count; ++i) {
      const float* const row = head.data() + i * kRow;
      const std::vector<float> expected{100 * row[0],    200 * row[1],    100 * row[2],   200 * row[3],
                                        row[4] * row[5], row[4] * row[6], row[4] * row[7]};
      for (std::size_t k = 0; k < expected.size(); ++k) REQUIRE(values[k * count + i] == expected[k]);
    }
  }
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
