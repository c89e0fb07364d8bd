// What a model says of one image. Made in model/, carried by ipc/messages, serialised in app/http.
// Plain values: no owner beyond whoever holds them, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace yolod::common {

// In pixels of the image as a person sees it (EXIF orientation applied), clipped to it.
struct Box {
  float x_min{0};
  float y_min{0};
  float x_max{0};
  float y_max{0};

  friend bool operator==(const Box&, const Box&) = default;
};

struct Detection {
  std::uint32_t class_id{0};
  float confidence{0};  // 0..1: objectness times class score
  Box box;

  friend bool operator==(const Detection&, const Detection&) = default;
};

// Highest confidence first.
struct DetectionList {
  std::uint32_t image_width{0};
  std::uint32_t image_height{0};
  std::vector<Detection> detections;

  friend bool operator==(const DetectionList&, const DetectionList&) = default;
};

struct Classification {
  std::uint32_t class_id{0};
  float probability{0};  // 0..1

  friend bool operator==(const Classification&, const Classification&) = default;
};

// Most probable first.
struct ClassificationList {
  std::uint32_t image_width{0};
  std::uint32_t image_height{0};
  std::vector<Classification> classifications;

  friend bool operator==(const ClassificationList&, const ClassificationList&) = default;
};

enum class FileType : std::uint32_t { kJpeg = 1, kPng = 2, kNpy = 3, kNpz = 4 };

// An answer that is a file: a picture that the model made, or its tensors.
struct EncodedFile {
  FileType type{FileType::kJpeg};
  std::vector<std::byte> bytes;

  friend bool operator==(const EncodedFile&, const EncodedFile&) = default;
};

// The identity model's answer: what arrived.
struct IdentityAnswer {
  std::uint64_t bytes{0};
  std::uint32_t crc32{0};  // zlib's CRC-32 of the body
  std::uint32_t worker_pid{0};

  friend bool operator==(const IdentityAnswer&, const IdentityAnswer&) = default;
};

using Prediction = std::variant<DetectionList, IdentityAnswer, ClassificationList, EncodedFile>;

// What one request may change for itself; absent means the model's configured value.
struct PredictionOptions {
  std::optional<float> confidence;
  std::optional<float> iou;
  std::optional<std::uint32_t> max_detections;
  std::optional<std::uint32_t> top_k{};
  bool png{false};       // a picture is answered as PNG instead of JPEG
  bool json{false};      // the body is {"image": "<base64>"}
  bool annotate{false};  // the picture with its detections drawn on it is the answer, as JPEG

  friend bool operator==(const PredictionOptions&, const PredictionOptions&) = default;
};

// Microseconds that a worker spent on one request. A batch's forward pass counts whole for each of its members:
// that is what each of them waited.
struct WorkTimes {
  std::uint32_t decode_us{0};
  std::uint32_t infer_us{0};
  std::uint32_t post_us{0};

  friend bool operator==(const WorkTimes&, const WorkTimes&) = default;
};

// A label stands in every detection, so a long one makes a huge answer.
inline constexpr std::size_t kMaxLabelBytes = 256;

// What a loaded model tells of itself: said once by the worker when it is ready.
struct ModelDescription {
  std::string task;       // "detect", "classify", "image", "tensor", or "identity"
  std::string device;     // "cpu", "cuda:0"
  std::string precision;  // "fp32", "bf16", "fp16"; empty where it has no meaning
  std::uint32_t input_width{0};
  std::uint32_t input_height{0};
  // While one batch is computed, the next one's pictures are decoded.
  bool decodes_ahead{false};
  // With batch.max_size: auto, the largest batch that pays, as the warm-up found: a power of two. 0: it looked for
  // none.
  std::uint32_t batch_size{0};
  // {size, microseconds}: what the warm-up took for batches of some sizes, where batch.target_p99 asks for it.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> batch_times;
  std::vector<std::string> labels;  // by class_id; UTF-8, each at most kMaxLabelBytes

  friend bool operator==(const ModelDescription&, const ModelDescription&) = default;
};

}  // namespace yolod::common
