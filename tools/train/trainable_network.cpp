#include "tools/train/trainable_network.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

namespace yolod::train {
namespace {

using namespace model::darknet;

// TrainingNetwork names a parameter of a layer by a letter and the layer's number.
NamedTensor::Role role_of(const std::string& name) {
  const bool of_layer = name.size() > 1 &&
                        std::all_of(name.begin() + 1, name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!of_layer) return NamedTensor::Role::kConstant;
  switch (name.front()) {
    case 'w':
    case 'b':
    case 's': return NamedTensor::Role::kLearned;
    case 'm':
    case 'v': return NamedTensor::Role::kRunning;
    default: return NamedTensor::Role::kConstant;
  }
}

at::Tensor to_tensor(const model::NetworkParameter& parameter) {
  // from_blob takes a mutable pointer. The result is a copy, so nothing writes through it.
  auto* values = const_cast<float*>(parameter.values.data());
  const auto tensor = at::from_blob(values, parameter.shape, at::TensorOptions().dtype(at::kFloat));
  const bool is_kernel = parameter.shape.size() == 4;
  return tensor.clone(is_kernel ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

NetworkTensors tensors_of(const TrainingNetwork& compiled) {
  NetworkTensors tensors;
  for (const auto& parameter : compiled.parameters)
    tensors.push_back({parameter.name, to_tensor(parameter), role_of(parameter.name)});
  return tensors;
}

void copy_values(const at::Tensor& tensor, std::vector<float>& to) {
  const auto plain = tensor.detach().contiguous();
  const auto* values = plain.data_ptr<float>();
  to.assign(values, values + plain.numel());
}

}  // namespace

struct TrainableNetwork::Module {
  torch::jit::Module script{"__torch__.yolod_training"};
};

TrainableNetwork::TrainableNetwork(const TrainingNetwork& compiled, std::vector<HeadGrid> heads)
    : source_(compiled.source), heads_(std::move(heads)), tensors_(tensors_of(compiled)) {}

TrainableNetwork::TrainableNetwork(const TrainableNetwork& other, NetworkTensors tensors)
    : source_(other.source_), heads_(other.heads_), tensors_(std::move(tensors)) {}

TrainableNetwork::~TrainableNetwork() = default;

std::vector<at::Tensor> TrainableNetwork::forward(const at::Tensor& pictures, ForwardMode mode,
                                                  at::ScalarType map_type) {
  if (!module_) {
    module_ = std::make_unique<Module>();
    for (const auto& [name, tensor, role] : tensors_) module_->script.register_parameter(name, tensor, false);
    module_->script.define(source_);
  }
  // Autograd must record each statement, so the optimizer of graphs stays off. The switch belongs to the calling
  // thread.
  const torch::jit::GraphOptimizerEnabledGuard without_optimizer(false);
  const auto maps = module_->script.forward({pictures.to(map_type), mode == ForwardMode::kTraining}).toTensorVector();
  std::vector<at::Tensor> logits;
  for (std::size_t h = 0; h < heads_.size(); ++h) {
    const auto& head = heads_[h];
    auto rows =
        maps[h]
            .permute({0, 2, 3, 1})
            .contiguous()
            .view({-1, head.rows, head.columns, static_cast<std::int64_t>(head.anchors.size()), head.row_length()});
    if (head.gaussian) rows = rows.index_select(-1, at::tensor(head.row_order()));
    logits.push_back(std::move(rows));
  }
  return logits;
}

StoredWeights to_stored(const Network& network, const NetworkTensors& tensors, std::int64_t images_seen) {
  std::map<std::string, at::Tensor> by_name;
  for (const auto& [name, tensor, role] : tensors) by_name.emplace(name, tensor);
  StoredWeights stored;
  stored.seen = images_seen;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    auto layer = empty_values(network.layers[i]);
    const auto fill = [&](char stem, std::vector<float>& values) {
      if (!values.empty()) copy_values(by_name.at(stem + std::to_string(i)), values);
    };
    fill('b', layer.biases);
    fill('w', layer.weights);
    if (layer.normalization) {
      fill('s', layer.normalization->scales);
      fill('m', layer.normalization->means);
      fill('v', layer.normalization->variances);
    }
    stored.layers.push_back(std::move(layer));
  }
  return stored;
}

}  // namespace yolod::train
