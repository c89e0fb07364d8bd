#include "model/tasks/tensor_model.hpp"

#include <algorithm>
#include <exception>
#include <optional>
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
#include "model/tasks/row_batch.hpp"
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
      : config_(config), network_(std::move(network)), names_(input_names(config_, *network_)) {
    description_.task = "tensor";
    description_.device = network_->device();
    description_.precision = to_string(network_->precision());
    description_.tensor_inputs = names_;
    description_.takes_more_tensors = network_->takes_more();
    if (config_.batch.max_rows == 0) return;
    rows_.emplace(config_.batch.max_rows,
                  [this](std::span<const common::TensorArray> arrays) { return compute(arrays); });
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
  [[nodiscard]] bool decodes_ahead() const override { return rows_.has_value(); }

  [[nodiscard]] std::unique_ptr<Decoded> decode(std::span<const Input> inputs) override {
    auto decoded = std::make_unique<ReadTensors>(inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      OwnWork own_work(inputs[i]);
      const auto start = Clock::now();
      auto arrays = guarded([&] { return read(inputs[i], decoded->headers[i]); });
      decoded->outputs[i].times.decode_us = common::elapsed_us(start, Clock::now());
      if (arrays) {
        decoded->numbers.push_back(i);
        decoded->requests.push_back(*std::move(arrays));
      } else {
        own_work.refused();
        decoded->outputs[i].prediction = arrays.error();
      }
    }
    return decoded;
  }

  [[nodiscard]] std::vector<Output> run_decoded(std::unique_ptr<Decoded> decoded) override {
    auto& batch = static_cast<ReadTensors&>(*decoded);
    auto answers =
        guarded([&]() -> Outcome<std::vector<RowBatch::Answer>> { return rows_->run(std::move(batch.requests)); });
    for (std::size_t n = 0; n < batch.numbers.size(); ++n) {
      const std::size_t i = batch.numbers[n];
      const auto start = Clock::now();
      Output& output = batch.outputs[i];
      if (answers) {
        RowBatch::Answer& answer = (*answers)[n];
        output.times.infer_us = answer.infer_us;
        output.prediction =
            guarded([&] { return write(batch.inputs[i], std::move(answer.results), batch.headers[i]); });
      } else {
        output.prediction = answers.error();
      }
      output.times.post_us = common::elapsed_us(start, Clock::now());
    }
    return std::move(batch.outputs);
  }

  // Without batch.max_rows, runs the inputs one after another, because their shapes may differ.
  [[nodiscard]] std::vector<Output> run(std::span<const Input> inputs) override {
    if (rows_) return run_decoded(decode(inputs));
    std::vector<Output> outputs(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const OwnWork own_work(inputs[i]);
      const auto done = guarded([&]() -> Outcome<void> {
        answer(inputs[i], outputs[i]);
        return {};
      });
      if (!done) outputs[i].prediction = done.error();
    }
    return outputs;
  }

 private:
  // The tensors of a batch's requests.
  struct ReadTensors final : Decoded {
    explicit ReadTensors(std::span<const Input> given) : inputs(given), outputs(given.size()), headers(given.size()) {}

    std::span<const Input> inputs;
    std::vector<Output> outputs;
    std::vector<std::string> headers;         // of compressed requests
    std::vector<std::size_t> numbers;         // of the inputs whose tensors could be read
    std::vector<RowBatch::Tensors> requests;  // the tensors of these
  };

  // Converts exceptions of libraries (mainly bad_alloc) to an Error.
  template <typename Work>
  static auto guarded(Work&& work) -> decltype(work()) {
    try {
      return work();
    } catch (const std::exception& error) {
      return Error{ErrorCode::kInternal, "the request failed: " + common::printable(error.what(), 200)};
    }
  }

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
    if (input.kind != common::ContentKind::kOip) return read_arrays(text_of(input.body), names_, takes_more);
    if (!input.options.packing) return read_oip_tensors(text_of(input.body), names_, takes_more);
    const auto body = unpack(input.body, input.options.packing->limit_bytes);
    if (!body) return body.error();
    return read_oip_tensors(text_of(*body), names_, takes_more, &header);
  }

  [[nodiscard]] Outcome<std::vector<common::NamedTensor>> compute(std::span<const common::TensorArray> arrays) {
    auto results = network_->run(arrays);
    if (!results) return results;
    for (const auto& tensor : config_.outputs) {
      if (tensor.position && *tensor.position < results->size()) (*results)[*tensor.position].name = tensor.name;
    }
    return results;
  }

  [[nodiscard]] static Outcome<common::Prediction> write(const Input& input,
                                                         Outcome<std::vector<common::NamedTensor>> results,
                                                         const std::string& header) {
    if (!results) return results.error();
    if (!input.options.tensors) return common::Prediction(write_arrays(*results));
    if (input.options.packing) results->push_back(common::oip::header_tensor(header));
    return common::Prediction(common::TensorList{*std::move(results)});
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
    auto results = compute(*arrays);
    const auto ran = Clock::now();
    output.times.infer_us = common::elapsed_us(decoded, ran);
    output.prediction = write(input, std::move(results), header);
    output.times.post_us = common::elapsed_us(ran, Clock::now());
  }

  const common::ModelConfig config_;
  std::unique_ptr<TensorNetwork> network_;
  const std::vector<std::string> names_;
  std::optional<RowBatch> rows_;  // if batch.max_rows is set
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
