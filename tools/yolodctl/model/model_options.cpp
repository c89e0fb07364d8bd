#include "tools/yolodctl/model/model_options.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "common/config/schema.hpp"
#include "common/system/cpu_count.hpp"
#include "common/text.hpp"
#include "tools/yolodctl/model/load_guard.hpp"

namespace yolod::tools {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

Error bad_options(std::string what) { return {ErrorCode::kBadConfig, std::move(what)}; }

std::optional<common::InputSize> parse_size(std::string_view text) {
  const auto number = [](std::string_view digits) -> std::optional<std::uint32_t> {
    std::uint32_t value = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (status != std::errc{} || end != digits.data() + digits.size() || value == 0) return std::nullopt;
    return value;
  };
  const auto cross = text.find('x');
  const auto height = number(text.substr(0, cross));
  const auto width = cross == std::string_view::npos ? height : number(text.substr(cross + 1));
  if (!height || !width) return std::nullopt;
  return common::InputSize{*height, *width};
}

Outcome<common::ModelConfig> from_config(const ModelOptions& options) {
  const auto read = common::load_config(options.config);
  if (!read.config) {
    std::string problems;
    for (const auto& problem : read.problems) problems += (problems.empty() ? "" : "\n") + common::to_string(problem);
    return bad_options(std::move(problems));
  }
  const auto& name = options.model.empty() ? read.config->default_model : options.model;
  const auto& models = read.config->models;
  const auto found = std::find_if(models.begin(), models.end(), [&](const auto& model) { return model.name == name; });
  if (found == models.end()) return bad_options(options.config + ": there is no model \"" + name + "\"");
  return *found;
}

Outcome<common::ModelConfig> from_files(const ModelOptions& options) {
  common::ModelConfig config;
  config.precision = common::Precision::kFp32;
  if (!options.torchscript.empty()) {
    if (!options.cfg.empty() || !options.weights.empty()) {
      return bad_options("use either --torchscript, or --cfg and --weights");
    }
    config.name = std::filesystem::path(options.torchscript).stem().string();
    common::TorchScriptSource source;
    source.file = options.torchscript;
    source.names = options.names;
    config.source = source;
    return config;
  }
  if (options.cfg.empty() || (options.weights.empty() && !options.weights_optional)) {
    return bad_options("choose a model: --cfg and --weights (and --names), --torchscript, or --config");
  }
  config.name = std::filesystem::path(options.cfg).stem().string();
  config.source = common::DarknetSource{options.cfg, options.weights, options.names};
  return config;
}

std::optional<common::Precision> parse_precision(std::string_view text) {
  if (text == "auto") return common::Precision::kAuto;
  if (text == "fp32") return common::Precision::kFp32;
  if (text == "bf16") return common::Precision::kBf16;
  if (text == "fp16") return common::Precision::kFp16;
  return std::nullopt;
}

}  // namespace

void add_model_options(CLI::App& command, ModelOptions& options) {
  command.add_option("--cfg", options.cfg, "a Darknet cfg")->type_name("FILE");
  command.add_option("--weights", options.weights, "its weights")->type_name("FILE");
  command.add_option("--names", options.names, "its labels, one a line, or a .data file")->type_name("FILE");
  command.add_option("--torchscript", options.torchscript, "a TorchScript file instead")->type_name("FILE");
  command.add_option("--config", options.config, "a system.yaml that names the model instead")->type_name("FILE");
  command.add_option("--model", options.model, "which of its models; default its default_model")->type_name("NAME");
  command.add_option("--size", options.size, "input size, N or HEIGHTxWIDTH; default the cfg's")->type_name("N");
  command.add_option("--precision", options.precision, "fp32, bf16, fp16 or auto")->type_name("P");
  command.add_option("--device", options.device, "auto, cpu or cuda:N; default auto")->type_name("D");
}

void add_augment_option(CLI::App& command, ModelOptions& options) {
  command.add_flag("--augment", options.augment,
                   "a detector processes the picture three times: unchanged, smaller and mirrored, and still smaller");
}

Outcome<ChosenModel> choose_model(const ModelOptions& options) {
  const bool by_files =
      !options.cfg.empty() || !options.weights.empty() || !options.names.empty() || !options.torchscript.empty();
  if (by_files && !options.config.empty())
    return bad_options("use either --config, or --cfg, --weights, --names and --torchscript");
  if (options.config.empty() && !options.model.empty()) return bad_options("--model needs --config");
  auto config = options.config.empty() ? from_files(options) : from_config(options);
  if (!config) return std::move(config).error();

  if (!options.size.empty()) {
    config->input_size = parse_size(options.size);
    if (!config->input_size) return bad_options("--size: \"" + options.size + "\": N or HEIGHTxWIDTH is allowed");
  }
  if (!options.precision.empty()) {
    const auto precision = parse_precision(options.precision);
    if (!precision)
      return bad_options("--precision: \"" + options.precision + "\": fp32, bf16, fp16 or auto is allowed");
    config->precision = *precision;
  }
  if (options.augment) config->detect.augment = true;
  ChosenModel chosen;
  chosen.context.threads = config->threads != 0 ? config->threads : common::usable_cpu_count();
  chosen.context.device = !options.device.empty()    ? options.device
                          : !config->devices.empty() ? config->devices.front()
                                                     : "auto";
  chosen.config = std::move(config).value();
  chosen.context.any_task = options.config.empty();
  if (const auto* script = std::get_if<common::TorchScriptSource>(&chosen.config.source)) {
    begin_guarded_load(script->file, chosen.config.load_timeout);
    chosen.context.first_run_ended = end_guarded_load;
  }
  return chosen;
}

int report(const Error& error) {
  std::fprintf(stderr, "yolodctl: %s\n", common::printable(error.message).c_str());
  const bool asked_wrongly = error.code == ErrorCode::kBadConfig || error.code == ErrorCode::kInvalidParameter;
  return asked_wrongly ? 2 : 1;
}

}  // namespace yolod::tools
