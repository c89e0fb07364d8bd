#include "ipc/prediction_codec.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "common/domain/options.hpp"
#include "common/domain/task.hpp"
#include "ipc/prediction_parts.hpp"
#include "ipc/wire.hpp"

namespace yolod::ipc {
namespace {

using common::Classification;
using common::ClassificationList;
using common::Detection;
using common::DetectionList;
using common::EncodedFile;
using common::FileType;
using common::IdentityAnswer;
using common::kMaxTensors;
using common::NamedTensor;
using common::Prediction;
using common::TensorList;

constexpr std::uint64_t kMinResultBytes = 1024;
constexpr std::size_t kDetectionBytes = 24;
constexpr std::size_t kListBytes = 16;  // kind, width, height, count
constexpr std::size_t kClassificationBytes = 8;
constexpr std::size_t kFileBytes = 8;  // kind, type
// The tensors of a raw view have their names, types and shapes beside their bytes, and a classifier's best classes.
constexpr std::size_t kRawBytes = 256 + std::size_t{common::kMaxTopK} * (sizeof(std::int32_t) + sizeof(float));

// The first bytes of a file of each type.
std::string_view magic_of(FileType type) {
  using namespace std::string_view_literals;
  switch (type) {
    case FileType::kJpeg: return "\xFF\xD8\xFF"sv;
    case FileType::kPng: return "\x89PNG\r\n\x1A\n"sv;
    case FileType::kNpy: return "\x93NUMPY"sv;
    case FileType::kNpz: return "PK"sv;
  }
  return {};
}

void write(Writer& out, const DetectionList& list) {
  out.number(PredictionKind::kDetections);
  out.number(list.image_width);
  out.number(list.image_height);
  out.number(static_cast<std::uint32_t>(list.detections.size()));
  for (const Detection& detection : list.detections) {
    out.number(detection.class_id);
    out.number(detection.confidence);
    out.number(detection.box.x_min);
    out.number(detection.box.y_min);
    out.number(detection.box.x_max);
    out.number(detection.box.y_max);
  }
}

void write(Writer& out, const IdentityAnswer& answer) {
  out.number(PredictionKind::kIdentity);
  out.number(answer.bytes);
  out.number(answer.crc32);
  out.number(answer.worker_pid);
}

void write(Writer& out, const ClassificationList& list) {
  out.number(PredictionKind::kClassifications);
  out.number(list.image_width);
  out.number(list.image_height);
  out.number(static_cast<std::uint32_t>(list.classifications.size()));
  for (const Classification& classification : list.classifications) {
    out.number(classification.class_id);
    out.number(classification.probability);
  }
}

void write(Writer& out, const EncodedFile& file) {
  out.number(PredictionKind::kFile);
  out.number(file.type);
  out.bytes(file.bytes);
}

void write(Writer& out, const TensorList& list) {
  out.number(PredictionKind::kTensors);
  out.number(static_cast<std::uint32_t>(list.tensors.size()));
  for (const NamedTensor& tensor : list.tensors) {
    out.text(tensor.name);
    out.number(tensor.array.type);
    out.number(static_cast<std::uint32_t>(tensor.array.shape.size()));
    for (const std::int64_t side : tensor.array.shape) out.number(side);
    out.bytes(tensor.array.bytes);
  }
}

DetectionList read_detections(Reader& in) {
  DetectionList list;
  list.image_width = in.number<std::uint32_t>();
  list.image_height = in.number<std::uint32_t>();
  const auto count = in.number<std::uint32_t>();
  if (count > common::kMaxDetections || in.left() != count * kDetectionBytes) {
    in.fail();
    return list;
  }
  list.detections.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    Detection detection;
    detection.class_id = in.number<std::uint32_t>();
    detection.confidence = in.number<float>();
    detection.box.x_min = in.number<float>();
    detection.box.y_min = in.number<float>();
    detection.box.x_max = in.number<float>();
    detection.box.y_max = in.number<float>();
    list.detections.push_back(detection);
  }
  return list;
}

ClassificationList read_classifications(Reader& in) {
  ClassificationList list;
  list.image_width = in.number<std::uint32_t>();
  list.image_height = in.number<std::uint32_t>();
  const auto count = in.number<std::uint32_t>();
  if (count > common::kMaxTopK || in.left() != count * kClassificationBytes) {
    in.fail();
    return list;
  }
  list.classifications.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    Classification classification;
    classification.class_id = in.number<std::uint32_t>();
    classification.probability = in.number<float>();
    list.classifications.push_back(classification);
  }
  return list;
}

EncodedFile read_encoded_file(Reader& in) {
  EncodedFile file;
  file.type = in.number<FileType>();
  file.bytes = in.rest();
  if (!has_magic(file)) in.fail();
  return file;
}

TensorList read_tensors(Reader& in) {
  TensorList list;
  const auto count = in.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.good(); ++i) {
    NamedTensor tensor;
    const auto bytes = read_tensor_head(in, tensor);
    if (!bytes || *bytes > in.left() || !may_follow(list, tensor)) {
      in.fail();
      return list;
    }
    tensor.array.bytes = in.bytes(*bytes);
    list.tensors.push_back(std::move(tensor));
  }
  return list;
}

IdentityAnswer read_identity(Reader& in) {
  IdentityAnswer answer;
  answer.bytes = in.number<std::uint64_t>();
  answer.crc32 = in.number<std::uint32_t>();
  answer.worker_pid = in.number<std::uint32_t>();
  return answer;
}

// The reader fails if the bytes are wrong.
Prediction read_prediction(Reader& in) {
  switch (in.number<PredictionKind>()) {
    case PredictionKind::kDetections: return read_detections(in);
    case PredictionKind::kIdentity: return read_identity(in);
    case PredictionKind::kClassifications: return read_classifications(in);
    case PredictionKind::kFile: return read_encoded_file(in);
    case PredictionKind::kTensors: return read_tensors(in);
  }
  in.fail();
  return {};
}

}  // namespace

bool has_magic(const EncodedFile& file) {
  const auto magic = std::as_bytes(std::span(magic_of(file.type)));
  return !magic.empty() && file.bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), file.bytes.begin());
}

std::optional<std::uint64_t> read_tensor_head(Reader& in, NamedTensor& tensor) {
  tensor.name = in.text();
  const auto type = common::element_type_from(in.number<std::uint32_t>());
  const auto dimensions = in.number<std::uint32_t>();
  if (!in.good() || !type || dimensions > common::kMaxDimensions) return std::nullopt;
  tensor.array.type = *type;
  for (std::uint32_t i = 0; i < dimensions; ++i) tensor.array.shape.push_back(in.number<std::int64_t>());
  const auto bytes = common::array_bytes(*type, tensor.array.shape);
  if (!in.good() || !bytes) return std::nullopt;
  return *bytes;
}

bool may_follow(const TensorList& list, const NamedTensor& next) {
  return list.tensors.size() < kMaxTensors &&
         std::none_of(list.tensors.begin(), list.tensors.end(),
                      [&](const NamedTensor& other) { return other.name == next.name; });
}

std::uint64_t result_bytes_for(const common::ModelConfig& model) {
  std::uint64_t needed = 0;
  switch (model.task) {
    case common::Task::kDetect:
      needed = kListBytes + std::uint64_t{model.detect.max_detections} * kDetectionBytes;
      if (model.detect.annotate) needed = std::max(needed, kFileBytes + model.limits.max_result_bytes);
      if (model.detect.raw) needed = std::max(needed, kRawBytes + model.limits.max_result_bytes);
      break;
    case common::Task::kClassify:
      needed = kListBytes + std::uint64_t{common::kMaxTopK} * kClassificationBytes;
      if (model.classify.raw) needed = std::max(needed, kRawBytes + model.limits.max_result_bytes);
      break;
    case common::Task::kImage:
    case common::Task::kTensor: needed = kFileBytes + model.limits.max_result_bytes; break;
  }
  return std::max(needed, kMinResultBytes);
}

std::optional<std::uint64_t> encode_prediction(const Prediction& prediction, std::span<std::byte> out) {
  const auto* const tensors = std::get_if<TensorList>(&prediction);
  if (tensors != nullptr && tensors->tensors.size() > kMaxTensors) return std::nullopt;
  Writer writer(out);
  std::visit([&](const auto& value) { write(writer, value); }, prediction);
  return writer.written();
}

std::optional<Prediction> decode_prediction(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  Prediction prediction = read_prediction(reader);
  if (!reader.complete()) return std::nullopt;
  return prediction;
}

}  // namespace yolod::ipc
