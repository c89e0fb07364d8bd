// What a request asks of a model beside its content. Plain values: any thread.
#pragma once

#include <cstdint>
#include <optional>

namespace yolod::common {

// The most classes that any answer names.
inline constexpr std::uint32_t kMaxTopK = 1000;

// What one request may change for itself; absent means the model's configured value.
struct PredictionOptions {
  std::optional<float> confidence;
  std::optional<float> iou;
  std::optional<std::uint32_t> max_detections;
  std::optional<std::uint32_t> top_k{};
  bool png{false};       // a picture is answered as PNG instead of JPEG
  bool annotate{false};  // the picture with its detections drawn on it is the answer, as JPEG
  bool tensors{false};   // a model with task: tensor answers a TensorList instead of an .npy or .npz file

  friend bool operator==(const PredictionOptions&, const PredictionOptions&) = default;
};

}  // namespace yolod::common
