// The options of a request. The types hold plain values; any thread may use them.
#pragma once

#include <cstdint>
#include <optional>

namespace yolod::common {

// The most classes that an answer may list.
inline constexpr std::uint32_t kMaxTopK = 1000;
inline constexpr std::uint32_t kMaxDetections = 30'000;

// Says how a worker reads compressed content. The client sent it with Content-Encoding: gzip or deflate.
struct Packing {
  std::uint64_t limit_bytes{0};  // longer decompressed content is refused
  std::uint32_t part{0};         // with kOip and kOipPlanes, the number of the picture in the request

  friend bool operator==(const Packing&, const Packing&) = default;
};

// The options that a request may set for itself. An absent option means the model's configured value.
struct PredictionOptions {
  std::optional<float> confidence;
  std::optional<float> iou;
  std::optional<std::uint32_t> max_detections;
  std::optional<std::uint32_t> top_k{};
  bool png{false};       // the picture is answered as PNG instead of JPEG
  bool annotate{false};  // the answer is the picture with its detections drawn on it
  // A model with task: tensor answers with a TensorList instead of an .npy or .npz file, and a detector with its
  // network's output.
  bool tensors{false};
  std::optional<Packing> packing{};  // the content is compressed

  friend bool operator==(const PredictionOptions&, const PredictionOptions&) = default;
};

}  // namespace yolod::common
