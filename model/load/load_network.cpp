#include "model/load/load_network.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "model/bad_model.hpp"
#include "model/compiled/torch_network.hpp"
#include "model/heads/augmented_network.hpp"
#include "model/load/load_script.hpp"
#include "model/load_context.hpp"
#include "model/precision.hpp"
#include "model/rules/loaded_network.hpp"
#include "model/sources/compile_network.hpp"
#include "model/torch/device/open_device.hpp"

namespace yolod::model {

using common::Outcome;

namespace {

std::unique_ptr<Network> augmented(std::vector<std::unique_ptr<TorchNetwork>> networks,
                                   const common::PreprocessConfig& preprocess) {
  std::vector<std::unique_ptr<Network>> views;
  for (auto network = networks.begin() + 1; network != networks.end(); ++network) views.push_back(std::move(*network));
  return std::make_unique<heads::AugmentedNetwork>(
      std::move(networks.front()), std::move(views),
      heads::AugmentedHead{heads::HeadLayout::kByObjectness, false, heads::view_padding(preprocess)});
}

}  // namespace

Outcome<LoadedNetwork> load_network(const common::ModelConfig& config, const LoadContext& context) {
  if (std::holds_alternative<common::TorchScriptSource>(config.source)) {
    return torchscript::load_script(config, context);
  }
  const auto use = use_device(context);
  if (!use) return bad_model(config.name + ": " + use.error().message);
  const auto precision = resolve_precision(config.precision, use->device->name(), cpu_bf16());
  if (!precision) return precision.error();
  auto compiled = compile_network(config);
  if (!compiled) return std::move(compiled).error();

  std::vector<CompiledNetwork> sizes;
  sizes.push_back(std::move(compiled->network));
  std::move(compiled->views.begin(), compiled->views.end(), std::back_inserter(sizes));
  auto running =
      TorchNetwork::load_sizes(std::move(sizes), *precision, std::max<std::uint32_t>(1, context.threads), *use);
  if (!running) {
    return bad_model(std::get<common::DarknetSource>(config.source).cfg.string() + ": " + running.error().message);
  }
  LoadedNetwork loaded;
  loaded.network =
      running->size() == 1 ? std::move(running->front()) : augmented(std::move(running).value(), config.preprocess);
  loaded.rules = compiled->rules;
  loaded.labels = std::move(compiled->labels);
  return loaded;
}

}  // namespace yolod::model
