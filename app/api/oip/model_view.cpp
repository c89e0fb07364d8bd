#include "app/api/oip/model_view.hpp"

#include <variant>

#include "app/api/handler.hpp"

namespace yolod::app::api::oip {
namespace {

using common::oip::DataType;

std::string_view platform_of(const common::ModelConfig& config) {
  if (std::holds_alternative<common::TorchScriptSource>(config.source)) return "pytorch_libtorch";
  return std::holds_alternative<common::DarknetSource>(config.source) ? "darknet" : "identity";
}

std::vector<TensorView> picture_outputs(const common::ModelConfig& config) {
  if (std::holds_alternative<common::IdentitySource>(config.source)) {
    return {
        {"bytes", DataType::kUint64, {1}}, {"crc32", DataType::kUint32, {1}}, {"worker_pid", DataType::kUint32, {1}}};
  }
  switch (config.task) {
    case common::Task::kDetect:
      return {{"num_dets", DataType::kInt32, {1}},
              {"det_boxes", DataType::kFp32, {-1, 4}},
              {"det_scores", DataType::kFp32, {-1}},
              {"det_classes", DataType::kInt32, {-1}},
              {"labels", DataType::kBytes, {-1}}};
    case common::Task::kClassify:
      return {{"class_ids", DataType::kInt32, {-1}},
              {"probabilities", DataType::kFp32, {-1}},
              {"labels", DataType::kBytes, {-1}}};
    case common::Task::kImage: return {{"image", DataType::kBytes, {1}}};
    case common::Task::kTensor: break;
  }
  return {};
}

}  // namespace

ModelView view_of(const common::ModelConfig& config, const common::ModelDescription& description) {
  ModelView view;
  view.platform = platform_of(config);
  const bool is_identity = std::holds_alternative<common::IdentitySource>(config.source);
  if (is_identity || config.task != common::Task::kTensor) {
    view.max_batch_size = static_cast<std::uint32_t>(api::kMostCalls);
    view.inputs = {{std::string(kPictureInput), DataType::kBytes, {1}}};
    view.outputs = picture_outputs(config);
    return view;
  }
  view.takes_pictures = false;
  for (const auto& name : description.tensor_inputs) view.inputs.push_back({name, DataType::kFp32, {-1}});
  view.open_inputs = description.takes_more_tensors;
  view.outputs = {{"arr_0", DataType::kFp32, {-1}}};
  view.open_outputs = true;
  return view;
}

}  // namespace yolod::app::api::oip
