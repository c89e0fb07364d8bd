// A loaded model as it tells of itself. Plain values: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace yolod::common {

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
