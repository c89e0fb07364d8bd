// yolodctl info shows the layers of a Darknet network and their cost; the weights are optional. info_torchscript.cpp
// handles TorchScript files.
#include <CLI/App.hpp>
#include <boost/json.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "model/bad_model.hpp"
#include "model/darknet/operations.hpp"
#include "model/darknet/weights.hpp"
#include "model/network.hpp"
#include "model/sources/darknet_files.hpp"
#include "model/sources/labels.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/model/info_torchscript.hpp"
#include "tools/yolodctl/model/json_line.hpp"
#include "tools/yolodctl/model/model_options.hpp"

namespace yolod::tools {
namespace {

namespace darknet = model::darknet;
namespace json = boost::json;
using common::Outcome;

struct InfoOptions {
  ModelOptions model;
  bool json{false};
};

// The columns of a layer's row beside its shapes; empty if the layer's kind does not have them.
struct Traits {
  std::string filters;
  std::string size;  // "3 x 3 / 2", "5 x 5 / 2 x 1"
};

std::string size_text(int size, int stride_x, int stride_y, int dilation = 1) {
  auto text = std::to_string(size) + " x " + std::to_string(size) + " / " + std::to_string(stride_x);
  if (stride_y != stride_x) text += " x " + std::to_string(stride_y);
  if (dilation != 1) text += " (" + std::to_string(dilation) + ")";
  return text;
}

Traits traits(const darknet::Convolutional& kind) {
  auto filters = std::to_string(kind.filters);
  if (kind.groups > 1) filters += " / " + std::to_string(kind.groups);
  // In that case the blur has the stride.
  const bool blurred = kind.blur.size > 0;
  return {filters, size_text(kind.size, blurred ? kind.blur.stride_x : kind.stride_x,
                             blurred ? kind.blur.stride_y : kind.stride_y, kind.dilation)};
}

Traits traits(const darknet::Local& kind) {
  return {std::to_string(kind.filters), size_text(kind.size, kind.stride, kind.stride)};
}

Traits traits(const darknet::MaxPool& kind) {
  const bool blurred = kind.blur.size > 0;
  const auto& window = kind.window;
  return {"", size_text(window.size, blurred ? kind.blur.stride_x : window.stride_x,
                        blurred ? kind.blur.stride_y : window.stride_y)};
}

Traits traits(const darknet::LocalAvgPool& kind) {
  return {"", size_text(kind.window.size, kind.window.stride_x, kind.window.stride_y)};
}

Traits traits(const darknet::Connected& kind) { return {std::to_string(kind.outputs), ""}; }
Traits traits(const darknet::Upsample& kind) { return {"", "* " + std::to_string(kind.stride)}; }
Traits traits(const darknet::Reorg& kind) { return {"", (kind.reverse ? "* " : "/ ") + std::to_string(kind.stride)}; }

template <typename Kind>
Traits traits(const Kind& /*kind*/) {
  return {};
}

Traits traits(const darknet::Layer& layer) {
  return std::visit([](const auto& kind) { return traits(kind); }, layer.kind);
}

std::string shape_text(const darknet::Shape& shape) {
  return std::to_string(shape.width) + " x " + std::to_string(shape.height) + " x " + std::to_string(shape.channels);
}

std::string answer_text(const darknet::Network& network) {
  if (darknet::missing_head(network)) return "no head, so neither a detector nor a classifier";
  const auto classes = std::to_string(network.classes) + (network.classes == 1 ? " class" : " classes");
  if (network.head == model::HeadKind::kClasses) return "a classifier of " + classes;
  return "a detector of " + classes + ", " + std::to_string(darknet::candidate_count(network)) + " candidates";
}

void print_table(const darknet::Network& network) {
  std::printf("%5s  %-14s %11s  %-14s %18s  %18s %12s %8s\n", "layer", "type", "filters", "size/stride", "input",
              "output", "parameters", "BFLOPs");
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto& layer = network.layers[i];
    const auto [filters, size] = traits(layer);
    std::printf("%5zu  %-14s %11s  %-14s %18s  %18s %12lld %8.3f\n", i, layer.section.c_str(), filters.c_str(),
                size.c_str(), shape_text(layer.input).c_str(), shape_text(layer.output).c_str(),
                static_cast<long long>(darknet::weight_count(layer)), darknet::bflops(layer));
  }
  std::printf("%s: %s; input %s, %lld parameters, %.3f BFLOPs\n", network.source_name.c_str(),
              answer_text(network).c_str(), shape_text(network.input).c_str(),
              static_cast<long long>(darknet::weight_count(network)), darknet::bflops(network));
}

json::array to_json(const darknet::Shape& shape) { return {shape.channels, shape.height, shape.width}; }

void print_json(const darknet::Network& network) {
  json::array layers;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto& layer = network.layers[i];
    const auto [filters, size] = traits(layer);
    layers.push_back({{"index", i},
                      {"type", layer.section},
                      {"filters", filters},
                      {"size", size},
                      {"input", to_json(layer.input)},
                      {"output", to_json(layer.output)},
                      {"parameters", darknet::weight_count(layer)},
                      {"bflops", darknet::bflops(layer)}});
  }
  const bool classifier = network.head == model::HeadKind::kClasses;
  json::object answer{{"task", classifier ? "classify" : "detect"},
                      {"classes", network.classes},
                      {"input", to_json(network.input)},
                      {"parameters", darknet::weight_count(network)},
                      {"bflops", darknet::bflops(network)}};
  if (darknet::missing_head(network)) answer["task"] = nullptr;
  if (!classifier) answer["candidates"] = darknet::candidate_count(network);
  answer["layers"] = std::move(layers);
  print_json_line(answer);
}

// Reads the network, and checks the other files of the command line against it.
Outcome<darknet::Network> checked_network(const common::DarknetSource& source,
                                          const std::optional<common::InputSize>& input_size) {
  auto network = model::read_network(source, input_size);
  if (!network) return network;
  if (!source.weights.empty()) {
    if (const auto weights = model::read_weights(source, *network); !weights) return weights.error();
  }
  if (!source.names.empty() && network->classes != 0) {
    const auto names = darknet::read_names(source.names, static_cast<std::size_t>(network->classes));
    if (!names) return names.error();
  }
  return network;
}

int info(const InfoOptions& options) {
  const auto chosen = choose_model(options.model);
  if (!chosen) return report(chosen.error());
  if (std::holds_alternative<common::TorchScriptSource>(chosen->config.source))
    return info_torchscript(*chosen, options.json);
  const auto* source = std::get_if<common::DarknetSource>(&chosen->config.source);
  if (source == nullptr) return report({common::ErrorCode::kInvalidParameter, "an identity model has no network"});
  const auto network = checked_network(*source, chosen->config.input_size);
  if (!network) return report(network.error());
  for (const auto& warning : network->warnings) std::fprintf(stderr, "yolodctl: warning: %s\n", warning.c_str());
  if (const auto why = model::why_no_pictures(static_cast<std::size_t>(network->input.channels)); !why.empty())
    return report(model::bad_model(network->source_name + ": " + why));
  if (options.json) {
    print_json(*network);
  } else {
    print_table(*network);
  }
  return 0;
}

}  // namespace

void add_info(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(kInfo.name, kInfo.purpose);
  auto options = std::make_shared<InfoOptions>();
  options->model.weights_optional = true;
  add_model_options(*command, options->model);
  command->add_flag("--json", options->json, "as one line of JSON");
  command->callback([options, &exit_code] { exit_code = info(*options); });
}

}  // namespace yolod::tools
