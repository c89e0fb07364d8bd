#include "model/tasks/tensor_model.hpp"

#include <algorithm>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/clock.hpp"
#include "common/oip/infer_request.hpp"
#include "common/text.hpp"
#include "model/bad_model.hpp"
#include "model/files/named_arrays.hpp"
#include "model/files/oip_tensors.hpp"
#include "model/load_context.hpp"
#include "model/precision.hpp"
#include "model/torch/thread_counts.hpp"
#include "model/torchscript/tensor_network.hpp"
#include "model/unpack.hpp"

namespace yolod::model {
namespace {

using common::Clock;
using common::Error;
using common::ErrorCode;
using common::Outcome;
using torchscript::TensorNetwork;

class TensorModel final : public Model {
 public:
  TensorModel(const common::ModelConfig& config, std::unique_ptr<TensorNetwork> network)
      : config_(config), network_(std::move(network)) {
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
  // Sets `header` to the header of a compressed request.
  [[nodiscard]] Outcome<std::vector<common::TensorArray>> read(const Input& input, std::string& header) const {
    const auto text_of = [](std::span<const std::byte> bytes) {
      return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    const bool takes_more = network_->takes_more();
    if (input.kind == common::ContentKind::kFile && input.options.tensors && config_.inputs.size() == 1) {
      auto array = read_raw_tensor(text_of(input.body), config_.inputs.front());
      if (!array) return array.error();
      return std::vector<common::TensorArray>{*std::move(array)};
    }
    if (input.kind != common::ContentKind::kOip)
      return read_arrays(text_of(input.body), network_->inputs(), takes_more);
    if (!input.options.packing) return read_oip_tensors(text_of(input.body), network_->inputs(), takes_more);
    const auto body = unpack(input.body, input.options.packing->limit_bytes);
    if (!body) return body.error();
    return read_oip_tensors(text_of(*body), network_->inputs(), takes_more, &header);
  }

  void answer(const Input& input, Output& output) {
    const auto start = Clock::now();
    std::string header;
    const auto arrays = read(input, header);
    const auto decoded = Clock::now();
    output.times.decode_us = common::elapsed_us(start, decoded);
    if (!arrays) {
      output.prediction = arrays.error();
      return;
    }
    auto results = network_->run(*arrays);
    const auto ran = Clock::now();
    output.times.infer_us = common::elapsed_us(decoded, ran);
    if (!results) {
      output.prediction = results.error();
    } else if (input.options.tensors) {
      if (input.options.packing) results->push_back(common::oip::header_tensor(header));
      output.prediction = common::Prediction(common::TensorList{*std::move(results)});
    } else {
      output.prediction = common::Prediction(write_arrays(*results));
    }
    output.times.post_us = common::elapsed_us(ran, Clock::now());
  }

  const common::ModelConfig config_;
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
  for (const auto& tensor : config.inputs) {
    const auto& names = (*network)->inputs();
    if (std::find(names.begin(), names.end(), tensor.name) != names.end()) continue;
    return bad_model(config.name + ": inputs: forward() has no argument \"" + common::printable(tensor.name, 100) +
                     "\"");
  }
  return std::unique_ptr<Model>(std::make_unique<TensorModel>(config, std::move(network).value()));
}

}  // namespace yolod::model
