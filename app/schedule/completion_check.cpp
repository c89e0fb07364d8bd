#include "app/schedule/completion_check.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

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

// Returns whether the tensors of a classifier have a number for each class.
bool classes_fit(const common::Prediction& prediction, const common::ModelConfig& config,
                 const common::ModelDescription& description) {
  const auto* const list = std::get_if<common::TensorList>(&prediction);
  if (list == nullptr || config.task != common::Task::kClassify) return true;
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(description.labels.size())};
  return list->tensors.size() == 2 &&
         std::all_of(list->tensors.begin(), list->tensors.end(), [&](const common::NamedTensor& tensor) {
           return tensor.array.type == common::ElementType::kFloat32 && tensor.array.shape == shape;
         });
}

}  // namespace

bool could_predict(const common::Prediction& prediction, const common::ModelConfig& config,
                   const common::PredictionOptions& asked, const common::ModelDescription& description) {
  return fits_task(prediction, config, asked) && labels_exist(prediction, description) &&
         classes_fit(prediction, config, description);
}

std::optional<Error> workers_error(std::uint32_t code, std::span<const std::byte> text) {
  const auto known = common::error_code_from(code);
  if (!known || !is_workers_code(*known)) return std::nullopt;
  return Error{*known, printable(text)};
}

}  // namespace yolod::app::schedule
