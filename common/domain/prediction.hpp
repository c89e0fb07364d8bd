// The answer of a model to one request. model/ makes it, ipc/prediction_codec carries it, and app/api writes it for
// clients. The types hold plain values; any thread may use them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "common/domain/tensor.hpp"

namespace yolod::common {

// A box in pixels of the upright image (with its EXIF orientation applied), clipped to the image.
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

// The highest confidence comes first.
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

// The most probable class comes first.
struct ClassificationList {
  std::uint32_t image_width{0};
  std::uint32_t image_height{0};
  std::vector<Classification> classifications;

  friend bool operator==(const ClassificationList&, const ClassificationList&) = default;
};

enum class FileType : std::uint32_t { kJpeg = 1, kPng = 2, kNpy = 3, kNpz = 4 };

// An answer that is a file: a picture that the model made, or tensors as NumPy writes them.
struct EncodedFile {
  FileType type{FileType::kJpeg};
  std::vector<std::byte> bytes;

  friend bool operator==(const EncodedFile&, const EncodedFile&) = default;
};

// The answer of the identity model describes the request's body.
struct IdentityAnswer {
  std::uint64_t bytes{0};
  std::uint32_t crc32{0};  // zlib's CRC-32 of the body
  std::uint32_t worker_pid{0};

  friend bool operator==(const IdentityAnswer&, const IdentityAnswer&) = default;
};

// The tensors that the model gave, in its order. No name occurs twice.
struct TensorList {
  std::vector<NamedTensor> tensors;

  friend bool operator==(const TensorList&, const TensorList&) = default;
};

using Prediction = std::variant<DetectionList, IdentityAnswer, ClassificationList, EncodedFile, TensorList>;

}  // namespace yolod::common
