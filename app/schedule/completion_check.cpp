#include "app/schedule/completion_check.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace yolod::app::schedule {
namespace {

using common::Error;
using common::ErrorCode;

// A worker may answer with these codes. They concern the client's picture, tensors or options, or a failure of the
// worker.
bool is_workers_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadRequest:
    case ErrorCode::kInvalidImage:
    case ErrorCode::kImageTooLarge:
    case ErrorCode::kImageTooComplex:
    case ErrorCode::kUnsupportedMediaType:
    case ErrorCode::kInvalidParameter:
    case ErrorCode::kInternal: return true;
    default: return false;
  }
}

// The client receives a worker's error text if the client caused the error. Therefore the text is bounded and
// reduced to printable ASCII.
std::string printable(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    const auto character = static_cast<unsigned char>(byte);
    if (text.size() == kMostErrorTextBytes) break;
    text.push_back(character >= 0x20 && character < 0x7F ? static_cast<char>(character) : '?');
  }
  return text;
}

// Returns whether a model of this config could give this answer to a request with these options.
bool fits_task(const common::Prediction& prediction, const common::ModelConfig& config,
               const common::PredictionOptions& options) {
  if (std::holds_alternative<common::IdentitySource>(config.source)) {
    return std::holds_alternative<common::IdentityAnswer>(prediction);
  }
  const auto* const file = std::get_if<common::EncodedFile>(&prediction);
  switch (config.task) {
    case common::Task::kDetect:
      if (options.tensors) return std::holds_alternative<common::TensorList>(prediction);
      if (options.annotate) {
        return file != nullptr && file->type == (options.png ? common::FileType::kPng : common::FileType::kJpeg);
      }
      return std::holds_alternative<common::DetectionList>(prediction);
    case common::Task::kClassify:
      if (options.tensors) return std::holds_alternative<common::TensorList>(prediction);
      return std::holds_alternative<common::ClassificationList>(prediction);
    case common::Task::kImage:
      return file != nullptr && (file->type == common::FileType::kJpeg || file->type == common::FileType::kPng);
    case common::Task::kTensor:
      if (options.tensors) return std::holds_alternative<common::TensorList>(prediction);
      return file != nullptr && (file->type == common::FileType::kNpy || file->type == common::FileType::kNpz);
  }
  return false;
}

bool labels_exist(const common::Prediction& prediction, const common::ModelDescription& description) {
  const auto exist = [&](const auto& list) {
    return std::all_of(list.begin(), list.end(),
                       [&](const auto& item) { return item.class_id < description.labels.size(); });
  };
  if (const auto* const list = std::get_if<common::DetectionList>(&prediction)) return exist(list->detections);
  if (const auto* const list = std::get_if<common::ClassificationList>(&prediction)) {
    return exist(list->classifications);
  }
  return true;
}

bool is_list_of(const common::TensorArray& array, common::ElementType type) {
  return array.type == type && array.shape.size() == 1;
}

// Returns whether a detector's raw view could give the tensors.
bool is_raw_detection(const common::TensorList& list, const common::ModelDescription& description) {
  if (list.tensors.size() != 1) return false;
  const common::TensorArray& output = list.tensors.front().array;
  const auto& sides = description.raw_output;  // 0: any length
  return output.type == common::ElementType::kFloat32 &&
         std::equal(output.shape.begin(), output.shape.end(), sides.begin(), sides.end(),
                    [](std::int64_t side, std::uint32_t wanted) { return wanted == 0 || side == wanted; });
}

// Returns whether a classifier could give the tensors: a number for each class, and the best classes with their values.
bool is_raw_classification(const common::TensorList& list, const common::ModelDescription& description) {
  if (list.tensors.size() != 3) return false;
  const common::TensorArray& output = list.tensors[0].array;
  const common::TensorArray& ids = list.tensors[1].array;
  const common::TensorArray& values = list.tensors[2].array;
  const bool fit = is_list_of(output, common::ElementType::kFloat32) && is_list_of(ids, common::ElementType::kInt32) &&
                   is_list_of(values, common::ElementType::kFloat32) && ids.shape == values.shape;
  if (!fit || output.shape.front() != static_cast<std::int64_t>(description.labels.size()) ||
      ids.shape.front() > std::int64_t{common::kMaxTopK}) {
    return false;
  }
  std::vector<std::int32_t> numbers(ids.bytes.size() / sizeof(std::int32_t));
  if (!numbers.empty()) std::memcpy(numbers.data(), ids.bytes.data(), ids.bytes.size());
  return std::all_of(numbers.begin(), numbers.end(), [&](std::int32_t id) {
    return id >= 0 && static_cast<std::size_t>(id) < description.labels.size();
  });
}

// Returns whether the tensors of a model on pictures have the types and shapes that its raw view announces.
bool tensors_fit(const common::Prediction& prediction, const common::ModelConfig& config,
                 const common::ModelDescription& description) {
  const auto* const list = std::get_if<common::TensorList>(&prediction);
  if (list == nullptr) return true;
  if (config.task == common::Task::kDetect) return is_raw_detection(*list, description);
  return config.task != common::Task::kClassify || is_raw_classification(*list, description);
}

}  // namespace

bool could_predict(const common::Prediction& prediction, const common::ModelConfig& config,
                   const common::PredictionOptions& asked, const common::ModelDescription& description) {
  return fits_task(prediction, config, asked) && labels_exist(prediction, description) &&
         tensors_fit(prediction, config, description);
}

std::optional<Error> workers_error(std::uint32_t code, std::span<const std::byte> text) {
  const auto known = common::error_code_from(code);
  if (!known || !is_workers_code(*known)) return std::nullopt;
  return Error{*known, printable(text)};
}

}  // namespace yolod::app::schedule
