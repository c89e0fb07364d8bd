// Says which tensors a model takes and gives in the Open Inference Protocol.
//
//   task               input             outputs
//   detect             image BYTES       num_dets, det_boxes, det_scores, det_classes, labels
//   classify           image BYTES       class_ids, probabilities, labels
//   image              image BYTES       image BYTES
//   tensor             as forward() names its arguments; any number of outputs
//   (identity model)   image BYTES       bytes, crc32, worker_pid
//
// Any thread may call these functions.
#pragma once

#include <cstdint>
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
};

struct ModelView {
  std::string_view platform;
  bool takes_pictures{true};        // the only input is `image`: encoded pictures
  std::uint32_t max_batch_size{0};  // if it is not 0, each shape has the batch in front of its dims
  std::vector<TensorView> inputs;
  // The tensors are known by their names alone, so any type and shape is accepted. A model may take more inputs.
  bool open_inputs{false};
  std::vector<TensorView> outputs;
  bool open_outputs{false};  // the outputs are known after the first answer
};

inline constexpr std::string_view kPictureInput = "image";

[[nodiscard]] ModelView view_of(const common::ModelConfig& config, const common::ModelDescription& description);

}  // namespace yolod::app::api::oip
