#include "model/tasks/tensor_model.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/text.hpp"
#include "model/bad_model.hpp"
#include "model/load_context.hpp"
#include "model/precision.hpp"
#include "model/tasks/tensor_batches.hpp"
#include "model/torch/thread_counts.hpp"
#include "model/torchscript/tensor_network.hpp"

namespace yolod::model {
namespace {

using common::Outcome;
using torchscript::TensorNetwork;

class TensorModel final : public Model {
 public:
  TensorModel(const common::ModelConfig& config, std::unique_ptr<TensorNetwork> network)
      : config_(config),
        network_(std::move(network)),
        batches_(settings_of(config_, *network_),
                 [this](RowBatch::Tensors arrays) { return compute(std::move(arrays)); }) {
    description_.task = "tensor";
    description_.device = network_->device();
    description_.precision = to_string(network_->precision());
    description_.tensor_inputs = input_names(config_, *network_);
    description_.takes_more_tensors = network_->takes_more();
  }

  // Returns the names of the network's inputs, in its order.
  [[nodiscard]] static std::vector<std::string> input_names(const common::ModelConfig& config,
                                                            const TensorNetwork& network) {
    auto names = network.inputs();
    for (const auto& tensor : config.inputs) {
      if (tensor.position && *tensor.position < names.size()) names[*tensor.position] = tensor.name;
    }
    return names;
  }

  [[nodiscard]] const common::ModelDescription& description() const override { return description_; }
  // Does nothing, because the shapes of requests are unknown.
  [[nodiscard]] Outcome<void> warm_up(std::span<const std::size_t> /*sizes*/) override { return {}; }
  [[nodiscard]] Outcome<void> use_threads(std::uint32_t threads) override {
    set_thread_counts(threads);
    return {};
  }

  // With batch.max_rows the requests of a batch are computed together. Then reading their tensors is like decoding
  // pictures: a worker may do it while it computes the batch before.
  [[nodiscard]] bool decodes_ahead() const override { return batches_.decodes_ahead(); }
  [[nodiscard]] std::unique_ptr<Decoded> decode(std::span<const Input> inputs) override {
    return batches_.decode(inputs);
  }
  [[nodiscard]] std::vector<Output> run_decoded(std::unique_ptr<Decoded> decoded) override {
    return batches_.run_decoded(std::move(decoded));
  }
  [[nodiscard]] std::vector<Output> run(std::span<const Input> inputs) override { return batches_.run(inputs); }

 private:
  [[nodiscard]] static TensorBatches::Settings settings_of(const common::ModelConfig& config,
                                                           const TensorNetwork& network) {
    TensorBatches::Settings settings;
    settings.names = input_names(config, network);
    settings.takes_more = network.takes_more();
    if (config.inputs.size() == 1) settings.raw_input = config.inputs.front();
    settings.max_rows = config.batch.max_rows;
    settings.max_bytes = config.limits.max_decode_memory_bytes;
    return settings;
  }

  [[nodiscard]] Outcome<std::vector<common::NamedTensor>> compute(RowBatch::Tensors arrays) {
    auto results = network_->run(std::move(arrays));
    if (!results) return results;
    for (const auto& tensor : config_.outputs) {
      if (tensor.position && *tensor.position < results->size()) (*results)[*tensor.position].name = tensor.name;
      if (tensor.type != common::oip::DataType::kFp16) continue;
      for (auto& result : *results) {
        if (result.name == tensor.name && !torchscript::narrow(result.array)) {
          return common::Error{common::ErrorCode::kInternal, "no memory for the output " + result.name};
        }
      }
    }
    return results;
  }

  const common::ModelConfig config_;
  std::unique_ptr<TensorNetwork> network_;
  TensorBatches batches_;
  common::ModelDescription description_;
};

// Checks the declared inputs against the arguments of forward().
Outcome<void> check_inputs(const common::ModelConfig& config, const TensorNetwork& network) {
  const auto& names = network.inputs();
  for (const auto& tensor : config.inputs) {
    const bool is_there = tensor.position ? *tensor.position < names.size()
                                          : std::find(names.begin(), names.end(), tensor.name) != names.end();
    if (is_there) continue;
    return bad_model(config.name + ": inputs: forward() has no argument " +
                     (tensor.position ? "at position " + std::to_string(*tensor.position)
                                      : '"' + common::printable(tensor.name, 100) + '"'));
  }
  const auto all = TensorModel::input_names(config, network);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (std::find(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(i), all[i]) !=
        all.begin() + static_cast<std::ptrdiff_t>(i)) {
      return bad_model(config.name + ": inputs: two arguments of forward() have the name \"" +
                       common::printable(all[i], 100) + "\"");
    }
    const bool is_declared = std::any_of(config.inputs.begin(), config.inputs.end(),
                                         [&](const auto& tensor) { return tensor.name == all[i]; });
    if (config.batch.max_rows == 0 || (is_declared && !network.takes_more())) continue;
    return bad_model(config.name + ": batch.max_rows: inputs must declare every argument of forward(): \"" +
                     common::printable(all[i], 100) + "\" is missing or is a list");
  }
  return {};
}

}  // namespace

Outcome<std::unique_ptr<Model>> load_tensor_model(const common::ModelConfig& config, const LoadContext& context) {
  if (!std::holds_alternative<common::TorchScriptSource>(config.source))
    return bad_model(config.name + ": task: tensor needs a TorchScript file");
  auto network = TensorNetwork::load(config, context);
  if (context.first_run_ended) context.first_run_ended();
  if (!network) return bad_model(config.name + ": " + network.error().message);
  if (auto fits = check_inputs(config, **network); !fits) return fits.error();
  return std::unique_ptr<Model>(std::make_unique<TensorModel>(config, std::move(network).value()));
}

}  // namespace yolod::model
