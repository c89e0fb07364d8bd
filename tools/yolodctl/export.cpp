// yolodctl export: a network as a TorchScript file for other programs, or its weights as a Darknet .weights file.
#include <CLI/App.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <variant>

#include "model/darknet_files.hpp"
#include "model/export_torchscript.hpp"
#include "model/load_network.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/model_options.hpp"

namespace yolod::tools {
namespace {

using common::ErrorCode;

struct ExportOptions {
  ModelOptions model;
  std::string output;
};

// What Ultralytics' exporters leave in a file of theirs, under their keys, so that what reads those reads these:
// ultralytics/ultralytics, engine/exporter.py. `layout` and `resize` are yolod's own, named and valued as in its
// config.
std::string describe(const std::string& name, const model::CompiledModel& compiled, const common::ModelConfig& config) {
  const auto& network = compiled.network;
  const bool letterbox = config.resize == common::ResizeMode::kAuto ? compiled.letter_box
                                                                    : config.resize == common::ResizeMode::kLetterbox;
  boost::json::object description{{"description", name},          {"task", "detect"},
                                  {"stride", compiled.stride},    {"batch", 1},
                                  {"channels", network.channels}, {"imgsz", {network.height, network.width}},
                                  {"layout", "yolov5"},           {"resize", letterbox ? "letterbox" : "stretch"}};
  if (!compiled.labels.empty()) {
    boost::json::object names;
    for (std::size_t i = 0; i < compiled.labels.size(); ++i) names[std::to_string(i)] = compiled.labels[i];
    description["names"] = std::move(names);
  }
  return boost::json::serialize(description);
}

// What surrounds a network is in its cfg and not in its weights, and Ultralytics' program has rules of its own for it.
constexpr const char* kOutsideTheWeights =
    "pictures are letterboxed for the checkpoint, around them is its grey: with the .weights file the cfg's letter_box "
    "and Darknet's grey count";

int export_darknet(const ExportOptions& options, const common::ModelConfig& config) {
  const auto* source = std::get_if<common::DarknetSource>(&config.source);
  if (source == nullptr) return report({ErrorCode::kBadConfig, "only a Darknet network has .weights: name its --cfg"});
  const auto written = model::export_weights(*source, config.input_size, options.output);
  if (!written) return report(written.error());
  std::printf("%s: for %s\n", options.output.c_str(), source->cfg.c_str());
  if (model::has_checkpoint(*source)) std::printf("%s\n", kOutsideTheWeights);
  return 0;
}

int export_model(const ExportOptions& options) {
  const auto chosen = choose_model(options.model);
  if (!chosen) return report(chosen.error());
  if (!options.model.precision.empty() && chosen->config.precision != common::Precision::kFp32) {
    return report({ErrorCode::kBadConfig, "--precision: an export is in fp32; whoever loads it may convert it"});
  }
  if (options.output.ends_with(".weights")) return export_darknet(options, chosen->config);
  auto compiled = model::compile_network(chosen->config);
  if (!compiled) return report(compiled.error());
  const auto description = describe(chosen->config.name, *compiled, chosen->config);
  const auto written =
      model::export_torchscript(std::move(compiled->network), {{"config.txt", description}}, options.output);
  if (!written) return report(written.error());
  std::printf("%s: %s\n", options.output.c_str(), description.c_str());
  return 0;
}

}  // namespace

void add_export(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("export", "write a network as a TorchScript file, or its weights for Darknet");
  auto options = std::make_shared<ExportOptions>();
  add_model_options(*command, options->model);
  command->add_option("--output", options->output, "the file to write; TorchScript, unless it ends in .weights")
      ->required()
      ->type_name("M.pt|M.weights");
  command->callback([options, &exit_code] { exit_code = export_model(*options); });
}

}  // namespace yolod::tools
