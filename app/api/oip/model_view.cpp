#include "app/api/oip/model_view.hpp"

#include <algorithm>
#include <cstdint>
#include <variant>

#include "app/api/handler.hpp"

namespace yolod::app::api::oip {
namespace {

using common::oip::DataType;

std::string_view platform_of(const common::ModelConfig& config) {
  if (std::holds_alternative<common::TorchScriptSource>(config.source)) return "pytorch_libtorch";
  return std::holds_alternative<common::DarknetSource>(config.source) ? "darknet" : "identity";
}

std::int64_t class_count(const common::ModelDescription& description) {
  return static_cast<std::int64_t>(description.labels.size());
}

bool is_identity(const common::ModelConfig& config) {
  return std::holds_alternative<common::IdentitySource>(config.source);
}

std::vector<TensorView> picture_outputs(const common::ModelConfig& config,
                                        const common::ModelDescription& description) {
  if (is_identity(config)) {
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
    case common::Task::kClassify: {
      std::vector<TensorView> outputs{{"class_ids", DataType::kInt32, {-1}},
                                      {std::string(kProbabilities), DataType::kFp32, {-1}},
                                      {"labels", DataType::kBytes, {-1}}};
      if (config.classify.raw) outputs.push_back({std::string(kLogits), DataType::kFp32, {class_count(description)}});
      return outputs;
    }
    case common::Task::kImage: return {{"image", DataType::kBytes, {1}}};
    case common::Task::kTensor: break;
  }
  return {};
}

AnswerKind answers_of(const common::ModelConfig& config) {
  if (is_identity(config)) return AnswerKind::kIdentity;
  switch (config.task) {
    case common::Task::kDetect: return AnswerKind::kDetections;
    case common::Task::kClassify: return AnswerKind::kClasses;
    case common::Task::kImage: return AnswerKind::kFile;
    case common::Task::kTensor: break;
  }
  return AnswerKind::kTensors;
}

constexpr std::string_view kRawSuffix = ":raw";

// Appends the text as a Python literal.
void append_python(std::string& out, std::string_view text) {
  out += '\'';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\'' || c == '\\') out += '\\';
    out += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  out += '\'';
}

ModelView raw_view(const common::ModelConfig& config, const common::ModelDescription& description) {
  ModelView view;
  view.platform = platform_of(config);
  view.takes_pictures = false;
  view.is_raw = true;
  view.max_batch_size = static_cast<std::uint32_t>(api::kMostCalls);
  view.inputs = {{std::string(kRawInput),
                  DataType::kFp32,
                  {description.input_channels, description.input_height, description.input_width}}};
  view.outputs = {{std::string(kRawOutput), DataType::kFp32, {}}};
  if (config.task == common::Task::kClassify) {
    view.classifies = true;
    view.outputs.front().dims = {class_count(description)};
    return view;
  }
  for (const std::uint32_t side : description.raw_output) {
    view.outputs.front().dims.push_back(side == 0 ? -1 : std::int64_t{side});
  }
  return view;
}

const common::TensorConfig* declared(const std::vector<common::TensorConfig>& tensors, std::string_view name) {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [name](const auto& tensor) { return tensor.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

const TensorView* named(const std::vector<TensorView>& tensors, std::string_view name) {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [name](const TensorView& tensor) { return tensor.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

// The shape of a declared tensor has the batch in front, as a request has.
std::vector<std::int64_t> dims_of(const common::TensorConfig& tensor, const ModelView& view) {
  return {tensor.shape.begin() + (view.max_batch_size == 0 ? 0 : 1), tensor.shape.end()};
}

}  // namespace

const TensorView* ModelView::input(std::string_view name) const { return named(inputs, name); }
const TensorView* ModelView::output(std::string_view name) const { return named(outputs, name); }

bool fits_dims(std::span<const std::int64_t> shape, const std::vector<std::int64_t>& dims) {
  return std::equal(shape.begin(), shape.end(), dims.begin(), dims.end(),
                    [](std::int64_t side, std::int64_t wanted) { return wanted < 0 || side == wanted; });
}

bool has_raw_view(const common::ModelConfig& config) {
  if (is_identity(config)) return false;
  return (config.task == common::Task::kDetect && config.detect.raw) ||
         (config.task == common::Task::kClassify && config.classify.raw);
}

// The stride matters only to programs that choose another size of the input, and this server has a single size.
std::string raw_metadata(const common::ModelConfig& config, const common::ModelDescription& description) {
  constexpr std::size_t kMostLabels = 4096;  // so that the text is written in well below 1 ms
  if (description.labels.size() > kMostLabels) return {};
  std::string text =
      config.task == common::Task::kClassify ? "{'stride': 1, 'task': 'classify" : "{'stride': 32, 'task': 'detect";
  text += "', 'batch': 1, 'imgsz': [";
  text += std::to_string(description.input_height) + ", " + std::to_string(description.input_width) + "], 'names': {";
  for (std::size_t i = 0; i < description.labels.size(); ++i) {
    if (i != 0) text += ", ";
    text += std::to_string(i) + ": ";
    append_python(text, description.labels[i]);
  }
  return text + "}}";
}

ViewName parse_view_name(std::string_view name) {
  if (!name.ends_with(kRawSuffix)) return {name};
  return {name.substr(0, name.size() - kRawSuffix.size()), ViewKind::kRaw};
}

ModelView view_of(const common::ModelConfig& config, const common::ModelDescription& description, ViewKind kind) {
  if (kind == ViewKind::kRaw) return raw_view(config, description);
  ModelView view;
  view.platform = platform_of(config);
  if (is_identity(config) || config.task != common::Task::kTensor) {
    view.max_batch_size = static_cast<std::uint32_t>(api::kMostCalls);
    view.inputs = {{std::string(kPictureInput), DataType::kBytes, {1}}};
    view.outputs = picture_outputs(config, description);
    view.answers = answers_of(config);
    view.classifies = view.answers == AnswerKind::kClasses;
    view.top_k = config.classify.top_k;
    return view;
  }
  view.takes_pictures = false;
  view.max_batch_size = config.batch.max_rows;
  for (const auto& name : description.tensor_inputs) {
    const common::TensorConfig* const tensor = declared(config.inputs, name);
    if (tensor == nullptr) {
      view.inputs.push_back({name, DataType::kFp32, {-1}, false});
    } else {
      view.inputs.push_back({name, tensor->type, dims_of(*tensor, view)});
    }
  }
  view.open_inputs = description.takes_more_tensors;
  for (const auto& tensor : config.outputs) {
    view.outputs.push_back({tensor.name, tensor.type, dims_of(tensor, view)});
  }
  view.outputs_known = !view.outputs.empty();
  if (!view.outputs_known) view.outputs = {{"arr_0", DataType::kFp32, {-1}, false}};
  view.open_outputs = true;
  return view;
}

}  // namespace yolod::app::api::oip
