// yolodctl export: a network as a TorchScript file for other programs.
#include <CLI/App.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "model/export_torchscript.hpp"
#include "model/load_network.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/model/model_options.hpp"

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

int export_model(const ExportOptions& options) {
  auto chosen = choose_model(options.model);
  if (!chosen) return report(chosen.error());
  if (!options.model.precision.empty() && chosen->config.precision != common::Precision::kFp32) {
    return report({ErrorCode::kBadConfig, "--precision: an export is in fp32; whoever loads it may convert it"});
  }
  chosen->config.detect.augment = false;  // a file is of the network for one size
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
  auto* command = app.add_subcommand(kExport.name, kExport.purpose);
  auto options = std::make_shared<ExportOptions>();
  add_model_options(*command, options->model);
  command->add_option("--output", options->output, "the file to write")->required()->type_name("M.pt");
  command->callback([options, &exit_code] { exit_code = export_model(*options); });
}

}  // namespace yolod::tools
