// yolodctl export writes a network as a TorchScript file for other programs, or its weights as a Darknet .weights
// file.
#include <CLI/App.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <variant>

#include "model/compiled/export_torchscript.hpp"
#include "model/rules/script_metadata.hpp"
#include "model/sources/compile_network.hpp"
#include "model/sources/darknet_files.hpp"
#include "tools/yolodctl/commands.hpp"
#include "tools/yolodctl/model/model_options.hpp"

namespace yolod::tools {
namespace {

using common::ErrorCode;

struct ExportOptions {
  ModelOptions model;
  std::string output;
};

// A Darknet file has no settings for the pictures: the cfg has them, and Ultralytics' program has other rules.
constexpr const char* kOutsideTheWeights =
    "the checkpoint's program letterboxes pictures with its own grey; with the .weights file the cfg's letter_box and "
    "Darknet's grey apply";

int export_darknet(const ExportOptions& options, const common::ModelConfig& config) {
  const auto* source = std::get_if<common::DarknetSource>(&config.source);
  if (source == nullptr)
    return report({ErrorCode::kBadConfig, "only a Darknet network has .weights, so --cfg is needed"});
  const auto written = model::export_weights(*source, config.input_size, options.output);
  if (!written) return report(written.error());
  std::printf("%s: for %s\n", options.output.c_str(), source->cfg.c_str());
  if (model::has_checkpoint(*source)) std::printf("%s\n", kOutsideTheWeights);
  return 0;
}

int export_model(const ExportOptions& options) {
  auto chosen = choose_model(options.model);
  if (!chosen) return report(chosen.error());
  if (!options.model.precision.empty() && chosen->config.precision != common::Precision::kFp32) {
    return report(
        {ErrorCode::kBadConfig, "--precision: an export is in fp32; the program that loads it may convert it"});
  }
  chosen->config.detect.augment = false;  // a file has the network for one size
  if (options.output.ends_with(".weights")) return export_darknet(options, chosen->config);
  auto compiled = model::compile_network(chosen->config);
  if (!compiled) return report(compiled.error());
  const auto description = model::torchscript::write_metadata(
      {chosen->config.name, compiled->network, compiled->stride, compiled->labels, compiled->rules});
  const auto written = model::export_torchscript(
      std::move(compiled->network), {{std::string(model::torchscript::kMetadataFile), description}}, options.output);
  if (!written) return report(written.error());
  if (chosen->config.preprocess != common::PreprocessConfig{}) {
    std::fprintf(stderr,
                 "yolodctl: the file does not contain the config's preprocess; a server needs it in its own config\n");
  }
  std::printf("%s: %s\n", options.output.c_str(), description.c_str());
  return 0;
}

}  // namespace

void add_export(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(kExport.name, kExport.purpose);
  auto options = std::make_shared<ExportOptions>();
  add_model_options(*command, options->model);
  command->add_option("--output", options->output, "the file to write; TorchScript, unless it ends in .weights")
      ->required()
      ->type_name("M.pt|M.weights");
  command->callback([options, &exit_code] { exit_code = export_model(*options); });
}

}  // namespace yolod::tools
