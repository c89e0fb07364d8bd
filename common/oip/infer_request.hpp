// The header of an inference request in the Open Inference Protocol, as values with checked ranges. The front-end and
// the workers parse it from the skeleton that JsonSplitter makes. Pure functions; any thread may call them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/domain/tensor.hpp"
#include "common/oip/data_type.hpp"
#include "common/outcome.hpp"

namespace yolod::common::oip {

// A place in a region of shared memory that a client has registered.
struct SharedPlace {
  std::string region;
  std::uint64_t offset{0};
  std::uint64_t bytes{0};
};

struct InferInput {
  std::string name;
  DataType type{DataType::kFp32};
  std::vector<std::int64_t> shape;  // at most kMaxDimensions sides, none negative
  std::uint64_t element_count{0};   // the product of the shape's sides
  // The values are one of these. If both are empty, the values are all bytes that follow the JSON.
  std::optional<std::size_t> data;  // the number of a value of JsonSplitter
  std::optional<std::uint64_t> binary_bytes;
  // If it is set, the front-end copies the values from there to the place where other values follow the JSON, and
  // binary_bytes is their size.
  std::optional<SharedPlace> shared{};
};

struct InferOutput {
  std::string name;
  std::optional<bool> binary;
  std::uint32_t classification{0};  // the count of classes; 0: the output itself
  std::optional<SharedPlace> shared{};
};

struct InferRequest {
  std::string id;  // empty: the answer has none
  std::vector<InferInput> inputs;
  std::vector<InferOutput> outputs;  // empty: all outputs
  bool binary_outputs{false};        // for outputs that `outputs` does not name
  bool high_priority{false};
  std::uint64_t timeout_us{0};  // 0: none
  std::optional<float> confidence;
  std::optional<float> iou;
  std::optional<std::uint32_t> max_detections;
  std::optional<std::uint32_t> top_k;

  // Returns how many bytes must follow the JSON, or nothing if the sum is too large for any body.
  [[nodiscard]] std::optional<std::uint64_t> binary_bytes() const;
  // Returns whether an input or an output is in shared memory.
  [[nodiscard]] bool uses_shared_memory() const;
};

// The front-end does not read a compressed request to a model on tensors. Therefore the worker's answer has one more
// tensor, with this name and the skeleton of the request. No output of a model has this name.
inline constexpr std::string_view kHeaderTensor;

// Returns that tensor.
[[nodiscard]] NamedTensor header_tensor(std::string_view skeleton);

// The count of values that is certainly enough for any skeleton.
inline constexpr std::size_t kAnyValueCount = SIZE_MAX;

// `value_count` is the count of JsonSplitter's values. An Error is kBadRequest, or kInvalidParameter for a value of
// "parameters". Names and texts of the Error are printable.
[[nodiscard]] Outcome<InferRequest> parse_infer_request(std::string_view skeleton, std::size_t value_count);

}  // namespace yolod::common::oip
