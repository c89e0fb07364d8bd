#include "model/tasks/tensor_model.hpp"

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

#include "common/clock.hpp"
#include "common/text.hpp"
#include "model/bad_model.hpp"
#include "model/files/named_arrays.hpp"
#include "model/files/oip_tensors.hpp"
#include "model/load_context.hpp"
#include "model/precision.hpp"
#include "model/torch/thread_counts.hpp"
#include "model/torchscript/tensor_network.hpp"

namespace yolod::model {
namespace {

using common::Clock;
using common::Error;
using common::ErrorCode;
using common::Outcome;
using torchscript::TensorNetwork;

class TensorModel final : public Model {
 public:
  explicit TensorModel(std::unique_ptr<TensorNetwork> network) : network_(std::move(network)) {
    description_.task = "tensor";
    description_.device = network_->device();
    description_.precision = to_string(network_->precision());
    description_.tensor_inputs = network_->inputs();
    description_.takes_more_tensors = network_->takes_more();
  }

  [[nodiscard]] const common::ModelDescription& description() const override { return description_; }
  // Does nothing, because the shapes of requests are unknown.
  [[nodiscard]] Outcome<void> warm_up(std::span<const std::size_t> /*sizes*/) override { return {}; }
  [[nodiscard]] Outcome<void> use_threads(std::uint32_t threads) override {
    set_thread_counts(threads);
    return {};
  }

  // Runs the inputs one after another, because their shapes may differ.
  [[nodiscard]] std::vector<Output> run(std::span<const Input> inputs) override {
    std::vector<Output> outputs(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const OwnWork own_work(inputs[i]);
      try {
        answer(inputs[i], outputs[i]);
      } catch (const std::exception& error) {
        outputs[i].prediction =
            Error{ErrorCode::kInternal, "the request failed: " + common::printable(error.what(), 200)};
      }
    }
    return outputs;
  }

 private:
  void answer(const Input& input, Output& output) {
    const auto start = Clock::now();
    const std::string_view body(reinterpret_cast<const char*>(input.body.data()), input.body.size());
    const auto arrays = input.kind == common::ContentKind::kOip
                            ? read_oip_tensors(body, network_->inputs(), network_->takes_more())
                            : read_arrays(body, network_->inputs(), network_->takes_more());
    const auto read = Clock::now();
    output.times.decode_us = common::elapsed_us(start, read);
    if (!arrays) {
      output.prediction = arrays.error();
      return;
    }
    auto results = network_->run(*arrays);
    const auto ran = Clock::now();
    output.times.infer_us = common::elapsed_us(read, ran);
    if (!results) {
      output.prediction = results.error();
    } else if (input.options.tensors) {
      output.prediction = common::Prediction(common::TensorList{*std::move(results)});
    } else {
      output.prediction = common::Prediction(write_arrays(*results));
    }
    output.times.post_us = common::elapsed_us(ran, Clock::now());
  }

  std::unique_ptr<TensorNetwork> network_;
  common::ModelDescription description_;
};

}  // namespace

Outcome<std::unique_ptr<Model>> load_tensor_model(const common::ModelConfig& config, const LoadContext& context) {
  if (!std::holds_alternative<common::TorchScriptSource>(config.source))
    return bad_model(config.name + ": task: tensor needs a TorchScript file");
  auto network = TensorNetwork::load(config, context);
  if (context.first_run_ended) context.first_run_ended();
  if (!network) return bad_model(config.name + ": " + network.error().message);
  return std::unique_ptr<Model>(std::make_unique<TensorModel>(std::move(network).value()));
}

}  // namespace yolod::model
