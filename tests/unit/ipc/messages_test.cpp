#include "common/domain/task.hpp"
#include "ipc/description_codec.hpp"
#include "ipc/options_codec.hpp"
#include "ipc/prediction_codec.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace yolod::ipc {
namespace {

using namespace std::string_literals;
using common::ClassificationList;
using common::Detection;
using common::DetectionList;
using common::EncodedFile;
using common::FileType;
using common::IdentityAnswer;
using common::ModelDescription;
using common::Prediction;
using Bytes = std::vector<std::byte>;

constexpr std::uint64_t kRoom = 1U << 20U;

Bytes encoded(const Prediction& prediction) {
  Bytes bytes(kRoom);
  const auto used = encode_prediction(prediction, bytes);
  REQUIRE(used);
  bytes.resize(*used);
  return bytes;
}

Bytes encoded(const ModelDescription& description) {
  Bytes bytes(kRoom);
  const auto used = encode_description(description, bytes);
  REQUIRE(used);
  bytes.resize(*used);
  return bytes;
}

Detection detection(std::uint32_t class_id) {
  return {class_id, 0.75F, {1.5F, 2.5F, 30.25F, static_cast<float>(class_id)}};
}

DetectionList detections(std::uint32_t count) {
  DetectionList list{1920, 1080, {}};
  for (std::uint32_t i = 0; i < count; ++i) list.detections.push_back(detection(i));
  return list;
}

ModelDescription description() {
  return {"detect",
          "cpu",
          "bf16",
          416,
          320,
          true,
          4,
          {{1, 9'000}, {8, 4'000'000}},
          {"person", "Stra\xC3\x9F\x65nbahn", "", "\xF0\x9F\x9A\xA6"}};
}

template <typename T>
void put(Bytes& bytes, std::size_t offset, T value) {
  REQUIRE(offset + sizeof value <= bytes.size());
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

template <typename T>
void append(Bytes& bytes, T value) {
  const auto* const from = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), from, from + sizeof value);
}

void append_text(Bytes& bytes, std::string_view text) {
  append(bytes, static_cast<std::uint32_t>(text.size()));
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
}

// Returns a description whose task is `task`, written byte by byte.
Bytes description_with_task(std::string_view task) {
  Bytes bytes;
  append_text(bytes, task);
  append_text(bytes, "cpu");
  append_text(bytes, "");
  for (int i = 0; i < 11; ++i) append(bytes, std::uint32_t{0});
  return bytes;
}

// The offsets of a detection list's fields, as written.
constexpr std::size_t kCountOffset = 12;
constexpr std::size_t kFirstDetectionOffset = 16;

// ---- predictions ----

TEST_CASE("Messages: detections are decoded unchanged", "[ipc][unit]") {
  const std::uint32_t count = GENERATE(as<std::uint32_t>{}, 0, 1, 2, 300, 30'000);
  const Prediction prediction = detections(count);
  CHECK(decode_prediction(encoded(prediction)) == prediction);
}

TEST_CASE("Messages: an identity answer is decoded unchanged", "[ipc][unit]") {
  const Prediction prediction = IdentityAnswer{std::uint64_t{1} << 40U, 0xDEADBEEF, 4711};
  CHECK(decode_prediction(encoded(prediction)) == prediction);
}

TEST_CASE("Messages: values at their limits are decoded unchanged", "[ipc][unit]") {
  constexpr auto kLargest = std::numeric_limits<float>::max();
  constexpr auto kTiny = std::numeric_limits<float>::denorm_min();
  const Prediction prediction = DetectionList{UINT32_MAX, 0, {{UINT32_MAX, kTiny, {-kLargest, kLargest, -0.0F, 0}}}};
  CHECK(decode_prediction(encoded(prediction)) == prediction);
}

TEST_CASE("Messages: classifications are decoded unchanged", "[ipc][unit]") {
  const std::uint32_t count = GENERATE(as<std::uint32_t>{}, 0, 1, 5, 1000);
  ClassificationList list{640, 480, {}};
  for (std::uint32_t i = 0; i < count; ++i) list.classifications.push_back({i, 1.0F / static_cast<float>(i + 1)});
  const Prediction prediction = list;
  CHECK(decode_prediction(encoded(prediction)) == prediction);
}

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

TEST_CASE("Messages: a file is decoded unchanged", "[ipc][unit]") {
  const auto [type, bytes] = GENERATE(table<FileType, std::string>({{FileType::kJpeg, "\xFF\xD8\xFF\xE0 and more"s},
                                                                    {FileType::kPng, "\x89PNG\r\n\x1A\n\0\0"s},
                                                                    {FileType::kNpy, "\x93NUMPY"s},
                                                                    {FileType::kNpz, "PK\x03\x04"s}}));
  const Prediction prediction = EncodedFile{type, bytes_of(bytes)};
  CHECK(decode_prediction(encoded(prediction)) == prediction);
}

TEST_CASE("Messages: a file without the first bytes of its type is refused", "[ipc][unit]") {
  for (const auto type : {FileType::kJpeg, FileType::kPng, FileType::kNpy, FileType::kNpz}) {
    for (const auto* text : {"", "<html>", "\xFF", "\x89PN", "P"}) {
      CHECK_FALSE(decode_prediction(encoded(EncodedFile{type, bytes_of(text)})));
    }
  }
  CHECK_FALSE(decode_prediction(encoded(EncodedFile{FileType{0}, bytes_of("\xFF\xD8\xFF")})));
  CHECK_FALSE(decode_prediction(encoded(EncodedFile{FileType{5}, bytes_of("PK")})));
}

TEST_CASE("Messages: a count of classifications beyond the bytes is refused", "[ipc][unit]") {
  Bytes bytes = encoded(ClassificationList{1, 1, {{0, 0.5F}, {1, 0.25F}}});
  const std::uint32_t count = GENERATE(as<std::uint32_t>{}, 0, 1, 3, UINT32_MAX);
  put(bytes, kCountOffset, count);
  CHECK_FALSE(decode_prediction(bytes));
}

common::ModelConfig model_with(common::Task task) {
  common::ModelConfig model;
  model.task = task;
  return model;
}

std::uint64_t bytes_for_detections(std::uint32_t count) {
  auto model = model_with(common::Task::kDetect);
  model.detect.max_detections = count;
  return result_bytes_for(model);
}

TEST_CASE("Messages: result_bytes_for has room for the given detections and for an identity answer", "[ipc][unit]") {
  for (const std::uint32_t count : {0U, 1U, 41U, 42U, 43U, 300U, 30'000U}) {
    Bytes room(bytes_for_detections(count));
    CHECK(encode_prediction(detections(count), room));
    CHECK(encode_prediction(IdentityAnswer{}, room));
  }
}

TEST_CASE("Messages: result_bytes_for is exact above its minimum", "[ipc][unit]") {
  Bytes room(bytes_for_detections(300));
  CHECK_FALSE(encode_prediction(detections(301), room));
  CHECK(bytes_for_detections(0) == 1024);
  CHECK(bytes_for_detections(UINT32_MAX) == 16 + 24 * std::uint64_t{UINT32_MAX});
}

TEST_CASE("Messages: result_bytes_for has room for the most classes that a request may ask for", "[ipc][unit]") {
  auto model = model_with(common::Task::kClassify);
  model.classify.top_k = 1;
  ClassificationList list;
  list.classifications.resize(common::kMaxTopK);
  Bytes room(result_bytes_for(model));
  CHECK(encode_prediction(list, room));
}

TEST_CASE("Messages: result_bytes_for has room for a file of max_result_bytes, and for no more", "[ipc][unit]") {
  auto model = model_with(GENERATE(common::Task::kImage, common::Task::kTensor));
  model.limits.max_result_bytes = 5000;
  Bytes room(result_bytes_for(model));
  CHECK(encode_prediction(EncodedFile{FileType::kPng, Bytes(5000)}, room));
  CHECK_FALSE(encode_prediction(EncodedFile{FileType::kPng, Bytes(5001)}, room));
}

TEST_CASE("Messages: an encoding into too little room fails at every size", "[ipc][unit]") {
  const Prediction prediction = GENERATE(Prediction{detections(2)}, Prediction{IdentityAnswer{1, 2, 3}});
  const auto needed = encoded(prediction).size();
  for (std::size_t size = 0; size < needed; ++size) {
    Bytes room(size);
    REQUIRE_FALSE(encode_prediction(prediction, room));
  }
  Bytes room(needed);
  CHECK(encode_prediction(prediction, room) == needed);
}

TEST_CASE("Messages: a prediction that is cut anywhere is refused", "[ipc][unit]") {
  const Prediction prediction =
      GENERATE(Prediction{detections(0)}, Prediction{detections(3)}, Prediction{IdentityAnswer{1, 2, 3}});
  const auto bytes = encoded(prediction);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    REQUIRE_FALSE(decode_prediction(std::span(bytes).first(size)));
  }
}

TEST_CASE("Messages: a prediction with extra bytes is refused", "[ipc][unit]") {
  const Prediction prediction = GENERATE(Prediction{detections(3)}, Prediction{IdentityAnswer{1, 2, 3}});
  auto bytes = encoded(prediction);
  bytes.push_back(std::byte{0});
  CHECK_FALSE(decode_prediction(bytes));
}

TEST_CASE("Messages: a kind of prediction that does not exist is refused", "[ipc][unit]") {
  const std::uint32_t kind = GENERATE(as<std::uint32_t>{}, 0, 3, UINT32_MAX);
  auto bytes = encoded(Prediction{detections(1)});
  put(bytes, 0, kind);
  CHECK_FALSE(decode_prediction(bytes));
}

TEST_CASE("Messages: a count of detections beyond the bytes is refused, however large it is", "[ipc][unit]") {
  // 178,956,971 times 24 is 8 more than 2^32.
  const std::uint32_t count =
      GENERATE(as<std::uint32_t>{}, 0, 1, 3, 1000, 178'956'970, 178'956'971, 1U << 31U, UINT32_MAX);
  auto bytes = encoded(Prediction{detections(2)});
  put(bytes, kCountOffset, count);
  CHECK_FALSE(decode_prediction(bytes));
}

TEST_CASE("Messages: a number that is not finite is refused in every field", "[ipc][unit]") {
  const float value = GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                               -std::numeric_limits<float>::infinity());
  for (std::size_t field = 1; field <= 5; ++field) {
    auto bytes = encoded(Prediction{detections(2)});
    put(bytes, kFirstDetectionOffset + 24 + 4 * field, value);
    CHECK_FALSE(decode_prediction(bytes));
  }
}

TEST_CASE("Messages: random bytes never give more detections than the bytes could hold", "[ipc][unit]") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes(random() % 120);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    if (bytes.size() >= 4 && round % 2 == 0) put(bytes, 0, std::uint32_t{1});
    const auto decoded = decode_prediction(bytes);
    if (!decoded) continue;
    if (const auto* const list = std::get_if<DetectionList>(&*decoded)) {
      REQUIRE(kFirstDetectionOffset + list->detections.size() * 24 == bytes.size());
    }
  }
}

TEST_CASE("Messages: one changed byte never crashes the reader", "[ipc][unit]") {
  const auto bytes = encoded(Prediction{detections(3)});
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int value : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
      auto changed = bytes;
      changed[i] = static_cast<std::byte>(value);
      const auto decoded = decode_prediction(changed);
      if (!decoded) continue;
      for (const Detection& found : std::get<DetectionList>(*decoded).detections) {
        REQUIRE(std::isfinite(found.confidence));
        REQUIRE(std::isfinite(found.box.x_max));
      }
    }
  }
}

// ---- descriptions ----

TEST_CASE("Messages: a description is decoded unchanged", "[ipc][unit]") {
  CHECK(decode_description(encoded(description())) == description());
  CHECK(decode_description(encoded(ModelDescription{})) == ModelDescription{});
}

TEST_CASE("Messages: a description with many labels is decoded unchanged", "[ipc][unit]") {
  auto many = description();
  for (int i = 0; i < 21'841; ++i) many.labels.push_back("label number " + std::to_string(i));
  CHECK(decode_description(encoded(many)) == many);
}

TEST_CASE("Messages: a description that is cut anywhere, or has extra bytes, is refused", "[ipc][unit]") {
  auto bytes = encoded(description());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    REQUIRE_FALSE(decode_description(std::span(bytes).first(size)));
  }
  bytes.push_back(std::byte{0});
  CHECK_FALSE(decode_description(bytes));
}

TEST_CASE("Messages: a description into too little room fails at every size", "[ipc][unit]") {
  const auto needed = encoded(description()).size();
  for (std::size_t size = 0; size < needed; ++size) {
    Bytes room(size);
    REQUIRE_FALSE(encode_description(description(), room));
  }
}

TEST_CASE("Messages: the names of a model's tensors are decoded unchanged, and too many are refused", "[ipc][unit]") {
  auto tensors = description();
  tensors.tensor_inputs = {"x", "pair.0"};
  tensors.takes_more_tensors = true;
  tensors.input_channels = 3;
  tensors.raw_output = {84, 8400};
  CHECK(decode_description(encoded(tensors)) == tensors);
  tensors.tensor_inputs.assign(common::kMaxTensors, "x");
  CHECK(decode_description(encoded(tensors)) == tensors);
  tensors.tensor_inputs.emplace_back("x");
  Bytes room(1U << 20U);
  CHECK_FALSE(encode_description(tensors, room));
}

TEST_CASE("Messages: a count of labels beyond the bytes is refused, however large it is", "[ipc][unit]") {
  const std::uint32_t count = GENERATE(as<std::uint32_t>{}, 1, 1000, 1U << 20U, (1U << 20U) + 1, 1U << 31U, UINT32_MAX);
  auto bytes = encoded(ModelDescription{});
  put(bytes, bytes.size() - 4, count);
  CHECK_FALSE(decode_description(bytes));
}

TEST_CASE("Messages: impossible batch times are refused", "[ipc][unit]") {
  common::ModelDescription timed;
  timed.batch_times = {{256, 7}};
  CHECK(decode_description(encoded(timed)) == timed);
  for (const std::uint32_t size : {0U, 257U, UINT32_MAX}) {
    timed.batch_times = {{size, 7}};
    CHECK_FALSE(decode_description(encoded(timed)));
  }
  timed.batch_times.assign(257, {1, 7});
  CHECK_FALSE(decode_description(encoded(timed)));
}

TEST_CASE("Messages: an impossible batch size is refused", "[ipc][unit]") {
  common::ModelDescription described;
  for (const std::uint32_t size : {0U, 1U, 256U}) {
    described.batch_size = size;
    CHECK(decode_description(encoded(described)) == described);
  }
  for (const std::uint32_t size : {257U, UINT32_MAX}) {
    described.batch_size = size;
    CHECK_FALSE(decode_description(encoded(described)));
  }
}

TEST_CASE("Messages: a label that could not be read back is not encoded", "[ipc][unit]") {
  common::ModelDescription description;
  std::vector<std::byte> room(16384);
  description.labels = {std::string(256, 'x')};
  CHECK(encode_description(description, room));
  description.labels = {std::string(257, 'x')};
  CHECK_FALSE(encode_description(description, room));
  description.labels = {"caf\xE9"};
  CHECK_FALSE(encode_description(description, room));
}

TEST_CASE("Messages: text that is longer than any label is refused", "[ipc][unit]") {
  CHECK(decode_description(description_with_task(std::string(256, 'x'))));
  CHECK_FALSE(decode_description(description_with_task(std::string(257, 'x'))));
}

TEST_CASE("Messages: a text's length beyond the bytes is refused", "[ipc][unit]") {
  const std::uint32_t length = GENERATE(as<std::uint32_t>{}, 31, 32, 256, 1U << 31U, UINT32_MAX);
  auto bytes = description_with_task("");
  put(bytes, 0, length);
  CHECK_FALSE(decode_description(bytes));
}

TEST_CASE("Messages: UTF-8 text is accepted, including the boundaries of every length", "[ipc][unit]") {
  const auto text = GENERATE(""s, "plain"s, "\0\n\x1F\x7F"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xED\x9F\xBF"s,
                             "\xEE\x80\x80"s, "\xEF\xBF\xBF"s, "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s);
  const auto decoded = decode_description(description_with_task(text));
  REQUIRE(decoded);
  CHECK(decoded->task == text);
}

TEST_CASE("Messages: text that is not UTF-8 is refused", "[ipc][unit]") {
  const auto text = GENERATE("\x80"s, "\xBF"s, "a\xFF"s, "\xC0\xAF"s, "\xC1\xBF"s, "\xC3"s, "\xC3("s, "\xE0\x80\xAF"s,
                             "\xE0\x9F\xBF"s, "\xE2\x82"s, "\xE2\x28\xA1"s, "\xED\xA0\x80"s, "\xED\xBF\xBF"s,
                             "\xF0\x80\x80\xAF"s, "\xF0\x8F\xBF\xBF"s, "\xF0\x9F\x9A"s, "\xF4\x90\x80\x80"s,
                             "\xF5\x80\x80\x80"s, "\xF8\x88\x80\x80\x80"s, "\xFE"s);
  CHECK_FALSE(decode_description(description_with_task(text)));
}

TEST_CASE("Messages: random bytes are not a description and never crash the reader", "[ipc][unit]") {
  std::mt19937_64 random(11);
  const auto good = encoded(description());
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = good;
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    bytes.resize(bytes.size() - (round % 3 == 0 ? random() % bytes.size() : 0));
    const auto decoded = decode_description(bytes);
    if (decoded) REQUIRE(decoded->labels.size() <= bytes.size() / 4);
  }
}

// ---- tensors ----

common::NamedTensor tensor(std::string name, common::ElementType type, std::vector<std::int64_t> shape) {
  Bytes bytes(common::array_bytes(type, shape).value());
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7);
  return {std::move(name), {type, std::move(shape), std::move(bytes)}};
}

TEST_CASE("Messages: tensors are decoded unchanged", "[ipc][unit]") {
  using common::ElementType;
  const Prediction none = common::TensorList{};
  CHECK(decode_prediction(encoded(none)) == none);
  common::TensorList every;
  for (std::uint32_t type = 1; common::element_type_from(type); ++type) {
    every.tensors.push_back(tensor("of type " + std::to_string(type), *common::element_type_from(type), {3, 2}));
  }
  REQUIRE(every.tensors.size() == 9);
  every.tensors.push_back(tensor("scalar", ElementType::kFloat64, {}));
  every.tensors.push_back(tensor("empty", ElementType::kInt16, {4, 0, 2}));
  every.tensors.push_back(tensor("deep", ElementType::kUint8, std::vector<std::int64_t>(common::kMaxDimensions, 1)));
  CHECK(decode_prediction(encoded(every)) == Prediction(every));
}

TEST_CASE("Messages: tensors with an impossible shape, type or name are refused", "[ipc][unit]") {
  // The bytes are: kind, count, length of the name, name, type, dimensions, sides, data.
  const Bytes good = encoded(common::TensorList{{tensor("name", common::ElementType::kFloat32, {2, 3})}});
  constexpr std::size_t kCount = 4;
  constexpr std::size_t kName = 12;
  constexpr std::size_t kType = 16;
  constexpr std::size_t kDimensions = 20;
  constexpr std::size_t kFirstSide = 24;
  REQUIRE(decode_prediction(good));
  Bytes bytes = good;
  SECTION("an unknown type") { put(bytes, kType, GENERATE(as<std::uint32_t>{}, 0, 10, UINT32_MAX)); }
  SECTION("too many dimensions") { put(bytes, kDimensions, GENERATE(as<std::uint32_t>{}, 17, UINT32_MAX)); }
  SECTION("a dimension less than was written") { put(bytes, kDimensions, std::uint32_t{1}); }
  SECTION("a negative side") { put(bytes, kFirstSide, std::int64_t{-2}); }
  SECTION("a side that is too large for the bytes") { put(bytes, kFirstSide, std::int64_t{3}); }
  SECTION("a side that leaves bytes unused") { put(bytes, kFirstSide, std::int64_t{1}); }
  SECTION("sides whose product wraps around to the number of bytes") {
    put(bytes, kFirstSide, std::int64_t{1} << 62U);
    put(bytes, kFirstSide + 8, std::int64_t{4});
  }
  SECTION("more tensors than are there") { put(bytes, kCount, GENERATE(as<std::uint32_t>{}, 2, UINT32_MAX)); }
  SECTION("fewer tensors than are there") { put(bytes, kCount, std::uint32_t{0}); }
  SECTION("a name that is not UTF-8") { put(bytes, kName, std::uint8_t{0xFF}); }
  SECTION("bytes cut short") { bytes.pop_back(); }
  CHECK_FALSE(decode_prediction(bytes));
}

TEST_CASE("Messages: two tensors of the same name are refused", "[ipc][unit]") {
  common::TensorList list;
  for (int i = 0; i < 2; ++i) list.tensors.push_back(tensor("twice", common::ElementType::kBool, {1}));
  CHECK_FALSE(decode_prediction(encoded(list)));
}

TEST_CASE("Messages: 256 tensors are decoded unchanged, and more are neither written nor read", "[ipc][unit]") {
  constexpr std::size_t kCount = 4;
  common::TensorList list;
  for (int i = 0; i < 256; ++i) list.tensors.push_back(tensor(std::to_string(i), common::ElementType::kBool, {1}));
  auto bytes = encoded(list);
  CHECK(decode_prediction(bytes) == Prediction(list));
  const common::TensorList last{{tensor("256", common::ElementType::kBool, {1})}};
  list.tensors.push_back(last.tensors.front());
  Bytes room(kRoom);
  CHECK_FALSE(encode_prediction(list, room));
  const auto more = encoded(last);
  bytes.insert(bytes.end(), more.begin() + 2 * sizeof(std::uint32_t), more.end());
  put(bytes, kCount, std::uint32_t{257});
  CHECK_FALSE(decode_prediction(bytes));
}

TEST_CASE("Messages: random bytes are not tensors and never crash the reader", "[ipc][unit]") {
  std::mt19937_64 random(12);
  const auto good = encoded(common::TensorList{
      {tensor("a", common::ElementType::kFloat32, {2, 3}), tensor("b", common::ElementType::kInt64, {1})}});
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = good;
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    bytes.resize(bytes.size() - (round % 3 == 0 ? random() % bytes.size() : 0));
    const auto decoded = decode_prediction(bytes);
    const auto* const list = decoded ? std::get_if<common::TensorList>(&*decoded) : nullptr;
    if (list != nullptr) REQUIRE(list->tensors.size() <= 2);
  }
}

// ---- options ----

TEST_CASE("Messages: options are decoded unchanged, and absent options stay absent", "[ipc][unit]") {
  auto options = GENERATE(
      common::PredictionOptions{}, common::PredictionOptions{0.5F, {}, {}}, common::PredictionOptions{{}, 0.25F, {}},
      common::PredictionOptions{{}, {}, 17}, common::PredictionOptions{0.0F, 1.0F, 1},
      common::PredictionOptions{{}, {}, {}, 3, false}, common::PredictionOptions{0.5F, 0.25F, 7, 9, true, true, true},
      common::PredictionOptions{0.5F, 0.25F, 7, 9, true, true, true, common::Packing{1U << 24U, 5}});
  RequestCell cell{};
  encode_options(options, cell);
  CHECK(decode_options(cell) == options);
  for (bool* const yes : {&options.png, &options.annotate, &options.tensors}) {
    *yes = !*yes;
    encode_options(options, cell);
    CHECK(decode_options(cell) == options);
  }
}

TEST_CASE("Messages: bytes that are not options are refused", "[ipc][unit]") {
  RequestCell cell{};
  encode_options({0.5F, {}, 7}, cell);
  REQUIRE(decode_options(cell));
  SECTION("no bytes") { cell.options_bytes = 0; }
  SECTION("a byte less") { --cell.options_bytes; }
  SECTION("a byte more") { ++cell.options_bytes; }
  SECTION("more than there is room for") {
    cell.options_bytes = GENERATE(as<std::uint8_t>{}, kMaxOptionsBytes + 1, UINT8_MAX);
  }
  SECTION("an option that does not exist") { cell.options[1] = std::byte{1}; }
  SECTION("a threshold that is not a number") {
    const float not_a_number = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(cell.options.data() + sizeof(std::uint16_t), &not_a_number, sizeof not_a_number);
  }
  CHECK_FALSE(decode_options(cell));
}

TEST_CASE("Messages: encoding options does not change the rest of the cell", "[ipc][unit]") {
  RequestCell cell{};
  cell.id = 5;
  cell.slot = 6;
  cell.content_bytes = 7;
  cell.content_kind = 2;
  encode_options({0.5F, 0.5F, 5}, cell);
  CHECK(cell.id == 5);
  CHECK(cell.slot == 6);
  CHECK(cell.content_bytes == 7);
  CHECK(cell.content_kind == 2);
}

}  // namespace
}  // namespace yolod::ipc
