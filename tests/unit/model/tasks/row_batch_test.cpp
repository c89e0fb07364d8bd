#include "model/tasks/row_batch.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <numeric>
#include <string>

namespace yolod::model {
namespace {

using common::ElementType;
using common::Error;
using common::ErrorCode;
using common::NamedTensor;
using common::TensorArray;
using Tensors = RowBatch::Tensors;

std::vector<std::byte> bytes_of_floats(const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::vector<float> floats_of(const TensorArray& array) {
  std::vector<float> values(array.bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

// Returns a tensor with `rows` rows of `width` elements, which count from `first` on.
TensorArray counting(std::int64_t rows, std::int64_t width, float first) {
  std::vector<float> values(static_cast<std::size_t>(rows * width));
  std::iota(values.begin(), values.end(), first);
  return {ElementType::kFloat32, {rows, width}, bytes_of_floats(values)};
}

// A network that returns its input doubled, and a 1 for each row.
struct Doubler {
  std::vector<std::int64_t> runs;  // the rows of each run
  bool refuses_joined{false};
  bool adds_a_row{false};

  RowBatch::Run function() {
    return [this](std::span<const TensorArray> arrays) -> RowBatch::Results {
      runs.push_back(arrays[0].shape.empty() ? -1 : arrays[0].shape[0]);
      if (refuses_joined && runs.back() > 1) return Error{ErrorCode::kBadRequest, "refused"};
      TensorArray doubled = arrays[0];
      auto values = floats_of(doubled);
      for (float& value : values) value *= 2;
      doubled.bytes = bytes_of_floats(values);
      TensorArray ones{ElementType::kFloat32, {runs.back()}, {}};
      ones.bytes =
          bytes_of_floats(std::vector<float>(static_cast<std::size_t>(std::max<std::int64_t>(runs.back(), 0)), 1));
      if (adds_a_row) {
        ones.shape[0] += 1;
        ones.bytes.resize(ones.bytes.size() + sizeof(float));
      }
      return std::vector<NamedTensor>{{"doubled", doubled}, {"ones", ones}};
    };
  }
};

void check_doubled(const RowBatch::Answer& answer, std::int64_t rows, std::int64_t width, float first) {
  REQUIRE(answer.results.ok());
  const TensorArray& doubled = answer.results->at(0).array;
  CHECK(answer.results->at(0).name == "doubled");
  CHECK(doubled.shape == std::vector<std::int64_t>{rows, width});
  const auto values = floats_of(doubled);
  REQUIRE(values.size() == static_cast<std::size_t>(rows * width));
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == 2 * (first + static_cast<float>(i)));
}

TEST_CASE("RowBatch: requests of several rows are one run, and each gets its own rows", "[model][unit]") {
  Doubler network;
  RowBatch batch(16, network.function());
  const auto answers = batch.run({{counting(1, 3, 0)}, {counting(4, 3, 100)}, {counting(2, 3, 200)}});
  CHECK(network.runs == std::vector<std::int64_t>{7});
  REQUIRE(answers.size() == 3);
  check_doubled(answers[0], 1, 3, 0);
  check_doubled(answers[1], 4, 3, 100);
  check_doubled(answers[2], 2, 3, 200);
  CHECK(answers[1].results->at(1).array.shape == std::vector<std::int64_t>{4});
}

TEST_CASE("RowBatch: a run has at most max_rows rows, and a later request fills it", "[model][unit]") {
  Doubler network;
  RowBatch batch(4, network.function());
  const auto answers =
      batch.run({{counting(3, 2, 0)}, {counting(2, 2, 10)}, {counting(1, 2, 20)}, {counting(9, 2, 30)}});
  CHECK(network.runs == std::vector<std::int64_t>{4, 2, 9});
  check_doubled(answers[0], 3, 2, 0);
  check_doubled(answers[1], 2, 2, 10);
  check_doubled(answers[2], 1, 2, 20);
  check_doubled(answers[3], 9, 2, 30);
}

TEST_CASE("RowBatch: only rows of the same size and type are computed together", "[model][unit]") {
  Doubler network;
  RowBatch batch(16, network.function());
  TensorArray halves = counting(1, 3, 40);
  halves.type = ElementType::kFloat16;
  halves.shape[1] = 6;
  const auto answers = batch.run({{counting(1, 3, 0)}, {counting(1, 2, 10)}, {counting(2, 3, 20)}, {halves}});
  CHECK(network.runs == std::vector<std::int64_t>{3, 1, 1});
  check_doubled(answers[0], 1, 3, 0);
  check_doubled(answers[1], 1, 2, 10);
  check_doubled(answers[2], 2, 3, 20);
}

TEST_CASE("RowBatch: a request without a common count of rows is computed alone", "[model][unit]") {
  Doubler network;
  RowBatch batch(16, network.function());
  const Tensors scalar{{ElementType::kFloat32, {}, bytes_of_floats({5})}};
  const auto answers = batch.run({{counting(1, 3, 0), counting(2, 3, 0)},
                                  {counting(2, 3, 0), counting(2, 3, 0)},
                                  {counting(0, 3, 0), counting(0, 3, 0)},
                                  scalar,
                                  {counting(1, 3, 0), counting(1, 3, 0)}});
  CHECK(network.runs == std::vector<std::int64_t>{1, 3, 0, -1});
  CHECK(row_count(scalar) == 0);
  CHECK(row_count({}) == 0);
  check_doubled(answers[4], 1, 3, 0);
}

TEST_CASE("RowBatch: if the network refuses a joint run, only the guilty request gets the error", "[model][unit]") {
  Doubler network;
  network.refuses_joined = true;
  RowBatch batch(16, network.function());
  const auto answers = batch.run({{counting(1, 3, 0)}, {counting(2, 3, 10)}, {counting(1, 3, 20)}});
  CHECK(network.runs == std::vector<std::int64_t>{4, 1, 2, 1});
  check_doubled(answers[0], 1, 3, 0);
  CHECK(answers[1].results.error().message == "refused");
  check_doubled(answers[2], 1, 3, 20);
}

TEST_CASE("RowBatch: results with another count of rows are never divided", "[model][unit]") {
  Doubler network;
  network.adds_a_row = true;
  RowBatch batch(16, network.function());
  const auto answers = batch.run({{counting(1, 3, 0)}, {counting(2, 3, 10)}});
  CHECK(network.runs == std::vector<std::int64_t>{3, 1, 2});
  check_doubled(answers[0], 1, 3, 0);
  check_doubled(answers[1], 2, 3, 10);
  CHECK(answers[1].results->at(1).array.shape == std::vector<std::int64_t>{3});
  // A later count of rows could be right by chance.
  network.adds_a_row = false;
  network.runs.clear();
  (void)batch.run({{counting(1, 3, 0)}, {counting(2, 3, 10)}});
  CHECK(network.runs == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("RowBatch: no request and a single request", "[model][unit]") {
  Doubler network;
  RowBatch batch(1, network.function());
  CHECK(batch.run({}).empty());
  check_doubled(batch.run({{counting(1, 1, 7)}}).front(), 1, 1, 7);
  CHECK(network.runs == std::vector<std::int64_t>{1});
}

}  // namespace
}  // namespace yolod::model
