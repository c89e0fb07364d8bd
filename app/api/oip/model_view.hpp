// Says which tensors a model takes and gives in the Open Inference Protocol.
//
//   task               input             outputs
//   detect             image BYTES       num_dets, det_boxes, det_scores, det_classes, labels
//   classify           image BYTES       class_ids, probabilities, labels, logits (with classify.raw)
//   image              image BYTES       image BYTES
//   tensor             as forward() names its arguments; any number of outputs
//   (identity model)   image BYTES       bytes, crc32, worker_pid
//   NAME:raw           images FP32       output0 FP32
//
// NAME:raw is a second view of a detector or a classifier, for clients that prepare pictures and read the network's
// output themselves, such as Ultralytics' programs. detect.raw or classify.raw turns it on.
//
// Any thread may call these functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/model_config.hpp"
#include "common/domain/description.hpp"
#include "common/oip/data_type.hpp"

namespace yolod::app::api::oip {

struct TensorView {
  std::string name;
  common::oip::DataType type{common::oip::DataType::kFp32};
  std::vector<std::int64_t> dims;  // of one element of a batch; -1: any number
  bool declared{true};             // if not, a tensor of another type or shape fits as well
};

// The kinds of a model's predictions.
enum class AnswerKind { kDetections, kClasses, kIdentity, kFile, kTensors };

struct ModelView {
  std::string_view platform;
  bool takes_pictures{true};  // the only input is `image`: encoded pictures
  AnswerKind answers{AnswerKind::kTensors};
  bool is_raw{false};               // the only input is `images`: pictures as the network takes them
  bool classifies{false};           // the model is a classifier
  std::uint32_t top_k{0};           // of a classifier: how many classes it gives unless the request says otherwise
  std::uint32_t max_batch_size{0};  // if it is not 0, each shape has the batch in front of its dims
  std::vector<TensorView> inputs;
  bool open_inputs{false};  // the model may take more inputs
  std::vector<TensorView> outputs;
  bool open_outputs{false};  // each answer names its outputs
  bool outputs_known{true};  // the model has no outputs but these

  // Each returns null if the tensor is not known.
  [[nodiscard]] const TensorView* input(std::string_view name) const;
  [[nodiscard]] const TensorView* output(std::string_view name) const;
};

inline constexpr std::string_view kPictureInput = "image";
inline constexpr std::string_view kRawInput = "images";
inline constexpr std::string_view kRawOutput = "output0";
// A classifier has these outputs.
inline constexpr std::string_view kProbabilities = "probabilities";
inline constexpr std::string_view kLogits = "logits";

enum class ViewKind { kUsual, kRaw };

// Returns whether the shape has these dims.
[[nodiscard]] bool fits_dims(std::span<const std::int64_t> shape, const std::vector<std::int64_t>& dims);

// Returns whether the model has the view NAME:raw.
[[nodiscard]] bool has_raw_view(const common::ModelConfig& config);

// REQUIRES: with kRaw, has_raw_view().
[[nodiscard]] ModelView view_of(const common::ModelConfig& config, const common::ModelDescription& description,
                                ViewKind kind = ViewKind::kUsual);

// Returns facts for Ultralytics' programs (utils/triton.py), as a Python literal. It is empty for a model with too many
// labels.
[[nodiscard]] std::string raw_metadata(const common::ModelConfig& config, const common::ModelDescription& description);

// The model that a path names.
struct ViewName {
  std::string_view model;
  ViewKind kind{ViewKind::kUsual};
};
// Splits "NAME:raw". The name of a model has no colon.
[[nodiscard]] ViewName parse_view_name(std::string_view name);

}  // namespace yolod::app::api::oip
