#include "app/schedule/completion_check.hpp"

#include <catch2/catch.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace yolod::app::schedule {
namespace {

using common::ErrorCode;
using common::FileType;
using common::Task;

const common::ModelDescription kDescription{"detect", "cpu", "fp32", 416, 416, false, 0, {}, {"cat", "dog"}};

common::ModelConfig config_of(Task task) {
  common::ModelConfig config;
  config.task = task;
  config.source = common::TorchScriptSource{};
  return config;
}

bool read(const common::Prediction& prediction, const common::ModelConfig& config,
          const common::PredictionOptions& asked = {}) {
  return could_predict(prediction, config, asked, kDescription);
}

common::EncodedFile file(FileType type) {
  const std::string_view begins = type == FileType::kJpeg  ? "\xFF\xD8\xFF"
                                  : type == FileType::kPng ? "\x89PNG\r\n\x1A\n"
                                  : type == FileType::kNpy ? "\x93NUMPY"
                                                           : "PK";
  const auto bytes = std::as_bytes(std::span(begins.data(), begins.size()));
  return {type, {bytes.begin(), bytes.end()}};
}

TEST_CASE("CompletionCheck: an answer is accepted if the model's task can give it", "[app][unit]") {
  const common::DetectionList boxes{10, 10, {{1, 0.5F, {1, 2, 3, 4}}}};
  const common::ClassificationList classes{10, 10, {{0, 0.5F}}};
  const common::IdentityAnswer echo{3, 4, 5};
  common::PredictionOptions annotated;
  annotated.annotate = true;
  common::ModelConfig identity;
  identity.source = common::IdentitySource{};

  CHECK(read(boxes, config_of(Task::kDetect)));
  CHECK(read(classes, config_of(Task::kClassify)));
  CHECK(read(echo, identity));
  CHECK(read(file(FileType::kJpeg), config_of(Task::kDetect), annotated));
  for (const auto type : {FileType::kJpeg, FileType::kPng}) CHECK(read(file(type), config_of(Task::kImage)));
  for (const auto type : {FileType::kNpy, FileType::kNpz}) CHECK(read(file(type), config_of(Task::kTensor)));

  common::PredictionOptions as_tensors;
  as_tensors.tensors = true;
  const common::TensorList tensors{{{"y", {common::ElementType::kUint8, {2}, std::vector<std::byte>(2)}}}};
  CHECK(read(tensors, config_of(Task::kTensor), as_tensors));

  CHECK_FALSE(read(tensors, config_of(Task::kTensor)));
  CHECK_FALSE(read(file(FileType::kNpy), config_of(Task::kTensor), as_tensors));
  CHECK_FALSE(read(tensors, config_of(Task::kDetect)));
  CHECK_FALSE(read(classes, config_of(Task::kDetect)));
  CHECK_FALSE(read(boxes, config_of(Task::kClassify)));
  CHECK_FALSE(read(boxes, identity));
  CHECK_FALSE(read(echo, config_of(Task::kDetect)));
  CHECK_FALSE(read(boxes, config_of(Task::kDetect), annotated));
  CHECK_FALSE(read(file(FileType::kPng), config_of(Task::kDetect), annotated));
  annotated.png = true;
  CHECK(read(file(FileType::kPng), config_of(Task::kDetect), annotated));
  CHECK_FALSE(read(file(FileType::kJpeg), config_of(Task::kDetect), annotated));
  CHECK_FALSE(read(file(FileType::kJpeg), config_of(Task::kDetect)));
  CHECK_FALSE(read(file(FileType::kNpy), config_of(Task::kImage)));
  CHECK_FALSE(read(boxes, config_of(Task::kImage)));
  CHECK_FALSE(read(file(FileType::kPng), config_of(Task::kTensor)));
  CHECK_FALSE(read(boxes, config_of(Task::kTensor)));
}

TEST_CASE("CompletionCheck: a class that the model does not have is refused", "[app][unit]") {
  CHECK_FALSE(read(common::DetectionList{10, 10, {{2, 0.5F, {}}}}, config_of(Task::kDetect)));
  CHECK_FALSE(read(common::ClassificationList{10, 10, {{UINT32_MAX, 0.5F}}}, config_of(Task::kClassify)));
}

common::TensorArray array_of(common::ElementType type, std::vector<std::int64_t> shape, std::uint8_t first = 0) {
  std::vector<std::byte> bytes(common::array_bytes(type, shape).value());
  if (!bytes.empty()) bytes.front() = std::byte{first};
  return {type, std::move(shape), std::move(bytes)};
}

TEST_CASE("CompletionCheck: a classifier's tensors have a number for each class, and classes that exist",
          "[app][unit]") {
  using common::ElementType;
  common::PredictionOptions as_tensors;
  as_tensors.tensors = true;
  const auto accepts = [&](std::vector<common::TensorArray> arrays) {
    common::TensorList list;
    for (auto& array : arrays) list.tensors.push_back({std::to_string(list.tensors.size()), std::move(array)});
    return read(list, config_of(Task::kClassify), as_tensors);
  };
  const auto output = array_of(ElementType::kFloat32, {2});
  const auto ids = array_of(ElementType::kInt32, {1}, 1);
  const auto values = array_of(ElementType::kFloat32, {1});
  CHECK(accepts({output, ids, values}));
  CHECK(accepts({output, array_of(ElementType::kInt32, {0}), array_of(ElementType::kFloat32, {0})}));
  CHECK_FALSE(accepts({output, ids}));
  CHECK_FALSE(accepts({output, ids, values, values}));
  CHECK_FALSE(accepts({array_of(ElementType::kFloat32, {3}), ids, values}));
  CHECK_FALSE(accepts({array_of(ElementType::kFloat32, {1, 2}), ids, values}));
  CHECK_FALSE(accepts({array_of(ElementType::kFloat64, {2}), ids, values}));
  CHECK_FALSE(accepts({output, array_of(ElementType::kInt32, {1}, 2), values}));
  CHECK_FALSE(accepts({output, array_of(ElementType::kInt64, {1}), values}));
  CHECK_FALSE(accepts({output, ids, array_of(ElementType::kFloat32, {2})}));
  CHECK_FALSE(accepts({output, ids, array_of(ElementType::kInt32, {1})}));
  CHECK_FALSE(accepts({output, array_of(ElementType::kInt32, {1001}), array_of(ElementType::kFloat32, {1001})}));
  CHECK_FALSE(read(common::ClassificationList{10, 10, {{0, 0.5F}}}, config_of(Task::kClassify), as_tensors));
}

TEST_CASE("CompletionCheck: the raw view of a detector gives one tensor of the announced shape", "[app][unit]") {
  using common::ElementType;
  common::PredictionOptions as_tensors;
  as_tensors.tensors = true;
  auto description = kDescription;
  description.raw_output = {6, 0};
  const auto accepts = [&](std::vector<common::TensorArray> arrays) {
    common::TensorList list;
    for (auto& array : arrays) list.tensors.push_back({std::to_string(list.tensors.size()), std::move(array)});
    return could_predict(list, config_of(Task::kDetect), as_tensors, description);
  };
  CHECK(accepts({array_of(ElementType::kFloat32, {6, 9})}));
  CHECK_FALSE(accepts({}));
  CHECK_FALSE(accepts({array_of(ElementType::kUint8, {6, 9})}));
  CHECK_FALSE(accepts({array_of(ElementType::kFloat32, {5, 9})}));
  CHECK_FALSE(accepts({array_of(ElementType::kFloat32, {6})}));
  CHECK_FALSE(accepts({array_of(ElementType::kFloat32, {6, 9, 1})}));
  CHECK_FALSE(accepts({array_of(ElementType::kFloat32, {6, 9}), array_of(ElementType::kFloat32, {6, 9})}));
}

TEST_CASE("CompletionCheck: an error is accepted if a worker may send it, and its text is bounded", "[app][unit]") {
  const auto refused = [](std::uint32_t code, const std::string& text) -> std::optional<common::Error> {
    return workers_error(code, std::as_bytes(std::span(text.data(), text.size())));
  };
  for (const auto code :
       {ErrorCode::kBadRequest, ErrorCode::kInvalidImage, ErrorCode::kImageTooLarge, ErrorCode::kImageTooComplex,
        ErrorCode::kUnsupportedMediaType, ErrorCode::kInvalidParameter, ErrorCode::kInternal}) {
    const auto read_back = refused(static_cast<std::uint32_t>(code), "why\n\x1B[1m\xC3\x9F");
    REQUIRE(read_back);
    CHECK(read_back->code == code);
    CHECK(read_back->message == "why??[1m??");
  }
  CHECK(refused(static_cast<std::uint32_t>(ErrorCode::kInternal), std::string(5000, 'a'))->message.size() == 300);
  for (const auto code : {ErrorCode::kQuarantined, ErrorCode::kUnauthorized, ErrorCode::kShuttingDown}) {
    CHECK_FALSE(refused(static_cast<std::uint32_t>(code), "x"));
  }
  CHECK_FALSE(refused(4711, "x"));
}

}  // namespace
}  // namespace yolod::app::schedule
