#include "ipc/messages.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "common/text.hpp"

namespace yolod::ipc {
namespace {

using common::Classification;
using common::ClassificationList;
using common::Detection;
using common::DetectionList;
using common::EncodedFile;
using common::FileType;
using common::IdentityAnswer;
using common::ModelDescription;
using common::Prediction;

enum class PredictionKind : std::uint32_t { kDetections = 1, kIdentity = 2, kClassifications = 3, kFile = 4 };

constexpr std::uint32_t kMaxLabelCount = 1U << 20U;
constexpr std::uint32_t kMaxBatch = common::kMostInBatch;
constexpr std::size_t kMaxTextBytes = common::kMaxLabelBytes;
constexpr std::uint64_t kMinResultBytes = 1024;

class Writer {
 public:
  explicit Writer(std::span<std::byte> out) : out_(out) {}
  template <typename T>
  void number(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    raw(&value, sizeof value);
  }
  void text(std::string_view value) {
    if (value.size() > kMaxTextBytes || !common::is_utf8(value)) fits_ = false;
    number(static_cast<std::uint32_t>(value.size()));
    raw(value.data(), value.size());
  }
  void bytes(std::span<const std::byte> value) { raw(value.data(), value.size()); }
  [[nodiscard]] std::optional<std::uint64_t> written() const {
    return fits_ ? std::optional<std::uint64_t>(used_) : std::nullopt;
  }

 private:
  void raw(const void* from, std::size_t bytes) {
    if (!fits_ || bytes > out_.size() - used_) {
      fits_ = false;
      return;
    }
    if (bytes != 0) std::memcpy(out_.data() + used_, from, bytes);
    used_ += bytes;
  }

  std::span<std::byte> out_;
  std::size_t used_{0};
  bool fits_{true};
};

// After the first thing that does not add up every further read gives zeros, and good() says so.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> in) : in_(in) {}
  template <typename T>
  T number() {
    T value{};
    raw(&value, sizeof value);
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) good_ = false;
    }
    return value;
  }
  std::string text() {
    const auto bytes = number<std::uint32_t>();
    if (!good_ || bytes > kMaxTextBytes || bytes > in_.size()) {
      good_ = false;
      return {};
    }
    std::string value(bytes, '\0');
    raw(value.data(), bytes);
    if (!common::is_utf8(value)) good_ = false;
    return value;
  }
  // All that is left.
  std::vector<std::byte> rest() {
    std::vector<std::byte> value(in_.begin(), in_.end());
    in_ = {};
    return value;
  }
  void fail() { good_ = false; }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] std::size_t left() const { return in_.size(); }
  [[nodiscard]] bool complete() const { return good_ && in_.empty(); }

 private:
  void raw(void* to, std::size_t bytes) {
    if (!good_ || bytes > in_.size()) {
      good_ = false;
      return;
    }
    if (bytes != 0) std::memcpy(to, in_.data(), bytes);
    in_ = in_.subspan(bytes);
  }

  std::span<const std::byte> in_;
  bool good_{true};
};

constexpr std::size_t kDetectionBytes = 24;
constexpr std::size_t kListBytes = 16;  // kind, width, height, count
constexpr std::size_t kClassificationBytes = 8;
constexpr std::size_t kFileBytes = 8;  // kind, type

// What a file of each type begins with: a worker gone mad may send any bytes, but not as something else.
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

DetectionList read_detections(Reader& in) {
  DetectionList list;
  list.image_width = in.number<std::uint32_t>();
  list.image_height = in.number<std::uint32_t>();
  const auto count = in.number<std::uint32_t>();
  if (in.left() != count * kDetectionBytes) {
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
  if (in.left() != count * kClassificationBytes) {
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
  const auto magic = std::as_bytes(std::span(magic_of(file.type)));
  file.bytes = in.rest();
  const bool begins_so =
      file.bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), file.bytes.begin());
  if (magic.empty() || !begins_so) in.fail();
  return file;
}

IdentityAnswer read_identity(Reader& in) {
  IdentityAnswer answer;
  answer.bytes = in.number<std::uint64_t>();
  answer.crc32 = in.number<std::uint32_t>();
  answer.worker_pid = in.number<std::uint32_t>();
  return answer;
}

}  // namespace

std::uint64_t result_bytes_for(const common::ModelConfig& model) {
  std::uint64_t needed = 0;
  switch (model.task) {
    case common::Task::kDetect:
      needed = kListBytes + std::uint64_t{model.detect.max_detections} * kDetectionBytes;
      if (model.detect.annotate) needed = std::max(needed, kFileBytes + model.limits.max_result_bytes);
      break;
    case common::Task::kClassify: needed = kListBytes + std::uint64_t{common::kMaxTopK} * kClassificationBytes; break;
    case common::Task::kImage:
    case common::Task::kTensor: needed = kFileBytes + model.limits.max_result_bytes; break;
  }
  return std::max(needed, kMinResultBytes);
}

std::optional<std::uint64_t> encode_prediction(const Prediction& prediction, std::span<std::byte> out) {
  Writer writer(out);
  std::visit([&](const auto& value) { write(writer, value); }, prediction);
  return writer.written();
}

std::optional<Prediction> decode_prediction(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  Prediction prediction;
  switch (reader.number<PredictionKind>()) {
    case PredictionKind::kDetections: prediction = read_detections(reader); break;
    case PredictionKind::kIdentity: prediction = read_identity(reader); break;
    case PredictionKind::kClassifications: prediction = read_classifications(reader); break;
    case PredictionKind::kFile: prediction = read_encoded_file(reader); break;
    default: return std::nullopt;
  }
  if (!reader.complete()) return std::nullopt;
  return prediction;
}

std::optional<std::uint64_t> encode_description(const ModelDescription& description, std::span<std::byte> out) {
  Writer writer(out);
  writer.text(description.task);
  writer.text(description.device);
  writer.text(description.precision);
  writer.number(description.input_width);
  writer.number(description.input_height);
  writer.number(std::uint32_t{description.decodes_ahead});
  writer.number(description.batch_size);
  writer.number(static_cast<std::uint32_t>(description.batch_times.size()));
  for (const auto& [size, us] : description.batch_times) {
    writer.number(size);
    writer.number(us);
  }
  if (description.labels.size() > kMaxLabelCount) return std::nullopt;
  writer.number(static_cast<std::uint32_t>(description.labels.size()));
  for (const std::string& label : description.labels) writer.text(label);
  return writer.written();
}

std::optional<ModelDescription> decode_description(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  ModelDescription description;
  description.task = reader.text();
  description.device = reader.text();
  description.precision = reader.text();
  description.input_width = reader.number<std::uint32_t>();
  description.input_height = reader.number<std::uint32_t>();
  description.decodes_ahead = reader.number<std::uint32_t>() != 0;
  description.batch_size = reader.number<std::uint32_t>();
  if (description.batch_size > kMaxBatch) return std::nullopt;
  const auto timed_count = reader.number<std::uint32_t>();
  if (!reader.good() || timed_count > kMaxBatch) return std::nullopt;
  for (std::uint32_t i = 0; i < timed_count && reader.good(); ++i) {
    const auto size = reader.number<std::uint32_t>();
    const auto us = reader.number<std::uint32_t>();
    if (size == 0 || size > kMaxBatch) return std::nullopt;
    description.batch_times.emplace_back(size, us);
  }
  const auto count = reader.number<std::uint32_t>();
  // Each label takes at least its length: a count that the bytes cannot hold is refused before anything is reserved.
  if (!reader.good() || count > kMaxLabelCount || count > reader.left() / sizeof(std::uint32_t)) return std::nullopt;
  description.labels.reserve(count);
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) description.labels.push_back(reader.text());
  if (!reader.complete()) return std::nullopt;
  return description;
}

void encode_options(const common::PredictionOptions& options, RequestCell& cell) {
  constexpr float kAbsent = std::numeric_limits<float>::quiet_NaN();
  cell.confidence = options.confidence.value_or(kAbsent);
  cell.iou = options.iou.value_or(kAbsent);
  cell.max_detections = options.max_detections.value_or(kUnset);
  cell.top_k = options.top_k.value_or(kUnset);
  cell.flags =
      (options.png ? kFlagPng : 0U) | (options.json ? kFlagJson : 0U) | (options.annotate ? kFlagAnnotate : 0U);
}

common::PredictionOptions decode_options(const RequestCell& cell) {
  common::PredictionOptions options;
  if (!std::isnan(cell.confidence)) options.confidence = cell.confidence;
  if (!std::isnan(cell.iou)) options.iou = cell.iou;
  if (cell.max_detections != kUnset) options.max_detections = cell.max_detections;
  if (cell.top_k != kUnset) options.top_k = cell.top_k;
  options.png = (cell.flags & kFlagPng) != 0;
  options.json = (cell.flags & kFlagJson) != 0;
  options.annotate = (cell.flags & kFlagAnnotate) != 0;
  return options;
}

}  // namespace yolod::ipc
