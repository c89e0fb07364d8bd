// The <model options> of yolodctl's offline commands: the model, its input size and its precision.
#pragma once

#include <CLI/App.hpp>
#include <cstddef>
#include <string>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"

namespace yolod::tools {

// The limit for an image file.
inline constexpr std::size_t kMaxImageBytes = std::size_t{1} << 30U;

// The command line fills it, so it must outlive the parsing.
struct ModelOptions {
  std::string cfg;
  std::string weights;
  std::string names;
  std::string torchscript;
  std::string config;
  std::string model;
  std::string size;  // "416" or "HEIGHTxWIDTH"
  std::string precision;
  std::string device;
  bool augment{false};
  // Set by a command that does not need weights; it is not an option.
  bool weights_optional{false};
};

struct ChosenModel {
  common::ModelConfig config;
  model::LoadContext context;
};

void add_model_options(CLI::App& command, ModelOptions& options);
// Adds `--augment`, for commands that run the network on pictures: this option or the config's detect.augment enables
// it.
void add_augment_option(CLI::App& command, ModelOptions& options);

// Returns the model of the options. If it is a TorchScript file, this call begins its guarded load (load_guard.hpp).
// An Error has code kBadConfig: a bad combination of options, or a config with problems (one per line). Without
// --precision a model given by its files runs in fp32, and a model of a config as the config says. A model given by
// its files has the task of its network.
[[nodiscard]] common::Outcome<ChosenModel> choose_model(const ModelOptions& options);

// Prints "yolodctl: message" to stderr and returns the exit code for the kind of error: 2 for an error in the command
// line or config, otherwise 1.
[[nodiscard]] int report(const common::Error& error);

}  // namespace yolod::tools
