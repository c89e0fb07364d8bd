#include "app/schedule/completion_check.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "ipc/prediction_codec.hpp"

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

std::optional<common::Outcome<common::Prediction>> read(const common::Prediction& prediction,
                                                        const common::ModelConfig& config,
                                                        const common::PredictionOptions& asked = {}) {
  std::vector<std::byte> bytes(64 * 1024);
  const auto size = ipc::encode_prediction(prediction, bytes);
  REQUIRE(size);
  ipc::CompletionCell completion{};
  completion.result_bytes = *size;
  common::Outcome<common::Prediction> answer{common::Error{}};
  if (!read_completion(completion, std::span(bytes).first(*size), config, asked, kDescription, answer)) {
    return std::nullopt;
  }
  return answer;
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

TEST_CASE("CompletionCheck: bytes that are not a prediction are refused", "[app][unit]") {
  const std::array<std::byte, 8> bytes{std::byte{0xFF}};
  common::Outcome<common::Prediction> answer{common::Error{}};
  CHECK_FALSE(read_completion({}, bytes, config_of(Task::kDetect), {}, kDescription, answer));
  CHECK_FALSE(read_completion({}, {}, config_of(Task::kDetect), {}, kDescription, answer));
}

TEST_CASE("CompletionCheck: an error is accepted if a worker may send it, and its text is bounded", "[app][unit]") {
  const auto refused = [](std::uint32_t code, const std::string& text) -> std::optional<common::Error> {
    ipc::CompletionCell completion{};
    completion.error_code = code;
    common::Outcome<common::Prediction> answer{common::Error{}};
    const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
    if (!read_completion(completion, bytes, config_of(Task::kDetect), {}, kDescription, answer)) return std::nullopt;
    return answer.error();
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
