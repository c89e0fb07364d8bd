#include "ipc/prediction_reader.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ipc/prediction_codec.hpp"
#include "tests/support/duplicate.hpp"

namespace yolod::ipc {
namespace {

using common::Prediction;
using State = PredictionReader::State;

constexpr std::uint64_t kSlotBytes = 1U << 20U;

// A lane with one result, and a reader of it.
class ResultLane {
 public:
  // Returns the size of the result.
  std::uint64_t write(const Prediction& prediction) {
    const auto bytes = encode_prediction(prediction, user_.result_slot(kSlot));
    REQUIRE(bytes);
    return *bytes;
  }
  // Returns nothing if the result is corrupt.
  std::optional<Prediction> read(std::uint64_t bytes, std::size_t budget) {
    PredictionReader reader(kSlot, bytes);
    for (steps = 1;; ++steps) {
      std::size_t left = budget;
      switch (reader.step(owner_, left)) {
        case State::kMore: REQUIRE(left == 0); break;
        case State::kDone: return reader.take();
        case State::kCorrupt: return std::nullopt;
      }
    }
  }
  [[nodiscard]] std::span<std::byte> slot() const { return user_.result_slot(kSlot); }

  std::size_t steps{0};

 private:
  static constexpr std::uint32_t kSlot = 1;
  LaneOwner owner_{LaneOwner::create(make_lane_geometry(2, kSlotBytes), 1).value()};
  LaneUser user_{LaneUser::open(tests::duplicate(owner_.descriptor())).value()};
};

std::vector<std::byte> some_bytes(std::size_t count) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 31 + i / 251);
  return bytes;
}

common::NamedTensor tensor(const std::string& name, std::size_t count) {
  return {name, {common::ElementType::kUint8, {static_cast<std::int64_t>(count)}, some_bytes(count)}};
}

common::EncodedFile jpeg(std::size_t count) {
  auto bytes = some_bytes(count);
  bytes[0] = std::byte{0xFF};
  bytes[1] = std::byte{0xD8};
  bytes[2] = std::byte{0xFF};
  return {common::FileType::kJpeg, std::move(bytes)};
}

std::vector<Prediction> predictions() {
  common::DetectionList many{10, 10, {}};
  many.detections.resize(5000, {1, 0.5F, {1, 2, 3, 4}});
  return {
      common::IdentityAnswer{1, 2, 3},
      many,
      jpeg(100),
      jpeg(500'000),
      common::TensorList{},
      common::TensorList{{tensor("a", 10)}},
      common::TensorList{{tensor("a", 200'000)}},
      common::TensorList{{tensor("a", 3), tensor("b", 200'000), tensor("", 0), tensor("c", 70'001), tensor("d", 1)}},
  };
}

TEST_CASE("PredictionReader: in pieces of any size it reads what the worker wrote", "[ipc][unit]") {
  const std::size_t budget = GENERATE(as<std::size_t>{}, 1000, 4096, 65'536, SIZE_MAX);
  for (const auto& prediction : predictions()) {
    ResultLane lane;
    const auto bytes = lane.write(prediction);
    const auto read = lane.read(bytes, budget);
    REQUIRE(read);
    CHECK(*read == prediction);
    if (budget == SIZE_MAX) CHECK(lane.steps == 1);
  }
}

TEST_CASE("PredictionReader: a long result is read in as many steps as its size asks for", "[ipc][unit]") {
  ResultLane lane;
  const auto bytes = lane.write(common::TensorList{{tensor("a", 200'000), tensor("b", 200'000)}});
  REQUIRE(lane.read(bytes, 50'000));
  CHECK(lane.steps >= 8);
  CHECK(lane.steps <= 10);
}

TEST_CASE("PredictionReader: bytes that the decoder refuses are corrupt", "[ipc][unit]") {
  for (const auto& prediction : predictions()) {
    ResultLane lane;
    const auto bytes = lane.write(prediction);
    const std::vector<std::byte> good(lane.slot().begin(), lane.slot().begin() + static_cast<std::ptrdiff_t>(bytes));
    const auto same_as_decoder = [&](std::uint64_t size) {
      const std::vector<std::byte> copy(lane.slot().begin(), lane.slot().begin() + static_cast<std::ptrdiff_t>(size));
      const auto expected = decode_prediction(copy);
      const auto read = lane.read(size, 20'000);
      CHECK(read.has_value() == expected.has_value());
      if (read && expected) CHECK(*read == *expected);
    };
    for (std::size_t place = 0; place < std::min<std::size_t>(bytes, 60); ++place) {
      CAPTURE(place);
      for (const auto value : {std::byte{0}, std::byte{1}, std::byte{0x80}, std::byte{0xFF}}) {
        lane.slot()[place] = value;
        same_as_decoder(bytes);
      }
      lane.slot()[place] = good[place];
    }
    for (const std::uint64_t less : {1U, 4U, 8U, 100U}) {
      if (less <= bytes) same_as_decoder(bytes - less);
      same_as_decoder(bytes + less);
    }
  }
}

TEST_CASE("PredictionReader: a result outside its slot is corrupt", "[ipc][unit]") {
  ResultLane lane;
  (void)lane.write(common::TensorList{{tensor("a", 200'000)}});
  CHECK_FALSE(lane.read(kSlotBytes + 1, SIZE_MAX));
  CHECK_FALSE(lane.read(UINT64_MAX, SIZE_MAX));
  CHECK_FALSE(lane.read(0, SIZE_MAX));
}

}  // namespace
}  // namespace yolod::ipc
