// From a TorchScript model's config to a network that looks at pictures and what its output means: from the file's own
// metadata, else from the config, else from its shape and one run on noise.
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

// The config's source is a TorchScriptSource. `precision: auto` is fp32: a module that was not written for bf16 may
// lose its boxes in it. What was concluded rather than said is logged. Errors are kBadModel.
[[nodiscard]] common::Outcome<LoadedNetwork> load_script(const common::ModelConfig& config, const LoadContext& context);

// Where something that is known of a file comes from: what the config or the command line says, the file's metadata, a
// run on noise or the output's shape, or what is usual for such files.
enum class Origin { kConfig, kFile, kGuess, kDefault };

struct ScriptOrigins {
  Origin task{Origin::kGuess};
  Origin input_size{Origin::kGuess};
  Origin names{Origin::kDefault};
  Origin output{Origin::kGuess};       // a detector's layout; whether a classifier's are logits
  Origin coordinates{Origin::kGuess};  // of a detector's boxes
  Origin resize{Origin::kDefault};     // and how pixels are sampled
};

struct ScriptReport {
  ModuleFacts module;
  std::optional<std::int64_t> stride;    // as the file says
  std::optional<LoadedNetwork> network;  // nothing if it is none that looks at pictures
  ScriptForm form{ScriptForm::kAsItIs};  // in which `network` runs
  ScriptOrigins from;                    // of `network`
  std::string why_not;                   // why there is none
};

// The same for yolodctl info: what is known of the file, and whence. An Error only where it cannot be loaded at all.
[[nodiscard]] common::Outcome<ScriptReport> inspect_script(const common::ModelConfig& config,
                                                           const LoadContext& context);

}  // namespace yolod::model::torchscript
