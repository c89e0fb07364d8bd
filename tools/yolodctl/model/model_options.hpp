// The <model options> that yolodctl's offline commands have in common: which model, at which size, in which precision.
#pragma once

#include <CLI/App.hpp>
#include <cstddef>
#include <string>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"

namespace yolod::tools {

// Of one image file.
inline constexpr std::size_t kMaxImageBytes = std::size_t{1} << 30U;

// Filled by the command line; must outlive its parsing.
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
  // Set by a command that can do without weights; not an option.
  bool weights_optional{false};
};

struct ChosenModel {
  common::ModelConfig config;
  model::LoadContext context;
};

void add_model_options(CLI::App& command, ModelOptions& options);
// `--augment`, for commands that run the network on pictures: with it or the config's detect.augment they do.
void add_augment_option(CLI::App& command, ModelOptions& options);

// The model that the options choose. Where that is a TorchScript file, its trial begins (trial.hpp). An Error is
// kBadConfig: a bad combination of options, or a config with problems (one a line). Without --precision a model named
// by its files runs in fp32, one from a config as that says; one named by its files has the task that
// it was made for.
[[nodiscard]] common::Outcome<ChosenModel> choose_model(const ModelOptions& options);

// Prints "yolodctl: message" to stderr and returns the exit code that the error's kind calls for: 2 for what the
// command line or config says, else 1.
[[nodiscard]] int report(const common::Error& error);

}  // namespace yolod::tools
