// Loads a TorchScript file as a network for pictures and finds the meaning of its output: from the file's metadata,
// otherwise from the config, otherwise from the output's shape and one run on noise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "model/load_context.hpp"
#include "model/model.hpp"
#include "model/rules/loaded_network.hpp"
#include "model/torchscript/module_facts.hpp"

namespace yolod::model::torchscript {

// REQUIRES: the config's source is a TorchScriptSource. `precision: auto` means fp32, because a module that was not
// written for bf16 may lose boxes in it. It logs every setting that it has concluded. Errors have code kBadModel.
[[nodiscard]] common::Outcome<LoadedNetwork> load_script(const common::ModelConfig& config, const LoadContext& context);

// The origin of a setting: the config or command line, the file's metadata, a guess from the output's shape or a run
// on noise, or the default for such files.
enum class Origin { kConfig, kFile, kGuess, kDefault };

struct ScriptOrigins {
  Origin task{Origin::kGuess};
  Origin input_size{Origin::kGuess};
  Origin names{Origin::kDefault};
  Origin output{Origin::kGuess};       // a detector's layout, or whether a classifier's output is logits
  Origin coordinates{Origin::kGuess};  // the unit of a detector's boxes
  Origin resize{Origin::kDefault};     // the resize rule and the sampling of pixels
};

struct ScriptReport {
  ModuleFacts module;
  std::optional<std::int64_t> stride;    // from the file's metadata
  std::optional<LoadedNetwork> network;  // nullopt if the network does not process pictures
  ScriptForm form{ScriptForm::kAsItIs};  // the form in which `network` runs
  ScriptOrigins from;                    // the origins of `network`'s settings
  std::string why_not;                   // why `network` is absent
};

// Inspects a file for yolodctl info: its settings and their origins. Returns an Error only if the file cannot be
// loaded at all.
[[nodiscard]] common::Outcome<ScriptReport> inspect_script(const common::ModelConfig& config,
                                                           const LoadContext& context);

}  // namespace yolod::model::torchscript
