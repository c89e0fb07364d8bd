// Describes a loaded model. The types hold plain values; any thread may use them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace yolod::common {

// A label appears in every detection, so a long label makes a huge answer.
inline constexpr std::size_t kMaxLabelBytes = 256;

// A loaded model's description of itself. The worker sends it once, when it is ready.
struct ModelDescription {
  std::string task;       // "detect", "classify", "image", "tensor", or "identity"
  std::string device;     // "cpu", "cuda:0"
  std::string precision;  // "fp32", "bf16", "fp16"; empty if it has no meaning
  std::uint32_t input_width{0};
  std::uint32_t input_height{0};
  // This is true if the worker decodes the next batch's pictures while it computes a batch.
  bool decodes_ahead{false};
  // With batch.max_size: auto, the largest batch that pays according to the warm-up, a power of two. 0: the worker
  // did not look for it.
  std::uint32_t batch_size{0};
  // {size, microseconds} of the batches that the warm-up measured, if batch.target_p99 is set.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> batch_times;
  std::vector<std::string> labels;  // indexed by class_id; UTF-8, each at most kMaxLabelBytes
  // With task: tensor, the names of the tensors that the model takes, in order, as forward() names them.
  std::vector<std::string> tensor_inputs{};
  bool takes_more_tensors{false};  // the last of them is a list, which takes all further tensors
  // With task: detect, the channels of the network's input, and the shape of the output of NAME:raw for one picture.
  std::uint32_t input_channels{0};
  std::array<std::uint32_t, 2> raw_output{};

  friend bool operator==(const ModelDescription&, const ModelDescription&) = default;
};

}  // namespace yolod::common
