#include "model/tasks/tensor_batches.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <variant>

#include "tests/support/packed_bodies.hpp"

namespace yolod::model::tensor_batches_test {
namespace {

using common::ErrorCode;
using common::NamedTensor;
using common::TensorArray;

constexpr std::uint64_t kWidth = 1000;  // the elements of a row, 8 bytes each

// Returns a request with one row. Its tensor has 8,000 bytes, and its JSON about 2,100.
std::string one_row(int value, std::uint64_t width = kWidth) {
  std::string json =
      R"({"inputs":[{"name":"x","datatype":"INT64","shape":[1,)" + std::to_string(width) + R"(],"data":[)";
  for (std::uint64_t i = 0; i < width; ++i) json.append(i == 0 ? "" : ",").append(std::to_string(value));
  return json + "]}]}";
}

// The content of a batch, and its inputs.
struct Requests {
  std::vector<std::string> bodies;
  std::vector<Input> inputs;

  explicit Requests(std::vector<std::string> packed) : bodies(std::move(packed)) {
    for (const std::string& body : bodies) {
      Input input;
      input.body = std::as_bytes(std::span(body.data(), body.size()));
      input.kind = common::ContentKind::kOip;
      input.options.tensors = true;
      input.options.packing = common::Packing{1'000'000};
      inputs.push_back(input);
    }
  }
};

Requests rows_in_gzip(int count) {
  std::vector<std::string> bodies;
  for (int i = 0; i < count; ++i) bodies.push_back(tests::gzipped(one_row(i)));
  return Requests(std::move(bodies));
}

// A network that returns its input, and notes the rows of each run.
struct Echo {
  std::vector<std::int64_t> runs;
  RowBatch::Run function() {
    return [this](std::span<const TensorArray> arrays) -> RowBatch::Results {
      runs.push_back(arrays[0].shape[0]);
      return std::vector<NamedTensor>{{"y", arrays[0]}};
    };
  }
};

TensorBatches::Settings settings(std::size_t max_rows, std::uint64_t max_bytes) {
  TensorBatches::Settings made;
  made.names = {"x"};
  made.max_rows = max_rows;
  made.max_bytes = max_bytes;
  return made;
}

// Checks that request i has the row of value i.
void check_rows(const std::vector<Output>& outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    CAPTURE(i);
    REQUIRE(outputs[i].prediction.ok());
    const auto& list = std::get<common::TensorList>(*outputs[i].prediction);
    REQUIRE(list.tensors.size() == 2);  // and the header
    CHECK(list.tensors[0].array.shape == std::vector<std::int64_t>{1, kWidth});
    CHECK(static_cast<std::size_t>(list.tensors[0].array.bytes[0]) == i);
  }
}

TEST_CASE("TensorBatches: requests that fit into the memory are one run", "[model][unit]") {
  Echo network;
  TensorBatches batches(settings(16, 1'000'000), network.function());
  check_rows(batches.run(rows_in_gzip(5).inputs));
  CHECK(network.runs == std::vector<std::int64_t>{5});
}

TEST_CASE("TensorBatches: requests that do not fit beside others are computed after them", "[model][unit]") {
  Echo network;
  TensorBatches batches(settings(16, 80'000), network.function());
  check_rows(batches.run(rows_in_gzip(5).inputs));
  CHECK(network.runs == std::vector<std::int64_t>{2, 2, 1});
}

TEST_CASE("TensorBatches: a batch that is read ahead does not take the memory of the batch before", "[model][unit]") {
  Echo network;
  TensorBatches batches(settings(16, 80'000), network.function());
  const Requests first = rows_in_gzip(5);
  const Requests second = rows_in_gzip(3);
  auto first_read = batches.decode(first.inputs);
  auto second_read = batches.decode(second.inputs);
  check_rows(batches.run_decoded(std::move(first_read)));
  check_rows(batches.run_decoded(std::move(second_read)));
  CHECK(network.runs == std::vector<std::int64_t>{2, 2, 1, 2, 1});
}

TEST_CASE("TensorBatches: a request that does not fit alone is refused, and the others are answered", "[model][unit]") {
  Echo network;
  TensorBatches batches(settings(16, 40'000), network.function());
  // The second request is small before it is decompressed, and the third before its numbers are read.
  const Requests requests({tests::gzipped(one_row(0)), tests::gzipped(std::string(500'000, ' ') + one_row(1)),
                           tests::gzipped(one_row(2, 5000)), tests::gzipped(one_row(3))});
  const auto outputs = batches.run(requests.inputs);
  REQUIRE(outputs.size() == 4);
  CHECK(outputs[0].prediction.ok());
  CHECK(outputs[1].prediction.error().code == ErrorCode::kImageTooComplex);
  CHECK(outputs[2].prediction.error().code == ErrorCode::kImageTooComplex);
  CHECK(outputs[3].prediction.ok());
}

TEST_CASE("TensorBatches: without max_rows one request has all of the memory", "[model][unit]") {
  Echo network;
  TensorBatches enough(settings(0, 12'000), network.function());
  check_rows(enough.run(rows_in_gzip(3).inputs));
  CHECK(network.runs == std::vector<std::int64_t>{1, 1, 1});
  TensorBatches little(settings(0, 9'000), network.function());
  for (const auto& output : little.run(rows_in_gzip(3).inputs)) {
    CHECK(output.prediction.error().code == ErrorCode::kImageTooComplex);
  }
}

TEST_CASE("TensorBatches: a compressed tensor without JSON has the declared shape, and no header comes back",
          "[model][unit]") {
  Echo network;
  auto made = settings(GENERATE(0, 16), 1'000'000);
  made.raw_input = common::TensorConfig{"x", common::oip::DataType::kInt64, {-1, 2}, {}};
  TensorBatches batches(made, network.function());
  const std::vector<std::int64_t> values{1, 2, 3, 4};
  const std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(std::int64_t));
  Requests requests({tests::gzipped(bytes), tests::gzipped(bytes + "x"), "not compressed"});
  for (Input& input : requests.inputs) input.kind = common::ContentKind::kFile;
  const auto outputs = batches.run(requests.inputs);
  REQUIRE(outputs[0].prediction.ok());
  const auto& list = std::get<common::TensorList>(*outputs[0].prediction);
  REQUIRE(list.tensors.size() == 1);
  CHECK(list.tensors[0].array.shape == std::vector<std::int64_t>{2, 2});
  CHECK(std::string(reinterpret_cast<const char*>(list.tensors[0].array.bytes.data()), bytes.size()) == bytes);
  CHECK(outputs[1].prediction.error().code == ErrorCode::kBadRequest);
  CHECK(outputs[2].prediction.error().code == ErrorCode::kBadRequest);
}

}  // namespace
}  // namespace yolod::model::tensor_batches_test
