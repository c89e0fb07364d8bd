// Reads system.yaml, in both forms, and reports every mistake. Also writes a whole config for a person, and one
// model's settings for its worker. Any thread may call these functions.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/config.hpp"
#include "common/config/model_config.hpp"
#include "common/config/problem.hpp"
#include "common/outcome.hpp"

namespace yolod::common {

// Holds the config, or every problem in it in the order of the file. Exactly one of the two is non-empty.
struct ConfigOutcome {
  std::optional<Config> config;
  std::vector<ConfigProblem> problems;
};

// A problem that the caller's own check finds; `key` has the form of ConfigProblem::key. The check also runs if the
// file has other problems, so that the user sees all problems at once.
struct KeyProblem {
  std::string key;
  std::string message;
};
using ConfigCheck = std::function<std::vector<KeyProblem>(const Config&)>;

// Parses the YAML in `text`. Messages call it `source_name`. Relative paths become absolute against the text's
// `base_dir` key, or against `directory` (the config file's folder). Each of `overrides` is "KEY=VALUE" as in --set;
// KEY has dots ("server.listen", "models[0].workers" or "models.NAME.workers"), and VALUE is YAML. Does no I/O: it
// does not open the files that the config names. Never throws.
//
// The short form (`workers` with `model_path` at the top level, without `models`) describes one Darknet model. The
// model's name is the file name of the weights without folder and extension, with '-' for every character that a
// name may not have.
[[nodiscard]] ConfigOutcome parse_config(std::string_view text, const std::string& source_name,
                                         const std::filesystem::path& directory,
                                         const std::vector<std::string>& overrides = {}, const ConfigCheck& check = {});

// Calls parse_config() with the content of a file. If the file cannot be read, the result contains that problem.
[[nodiscard]] ConfigOutcome load_config(const std::filesystem::path& file,
                                        const std::vector<std::string>& overrides = {}, const ConfigCheck& check = {});

// Returns the whole config as a YAML document, with every key, with models in their long form, and with absolute
// paths. parse_config(emit_config(c)) returns c without its warnings. The text has no secret, because a Config has
// none.
[[nodiscard]] std::string emit_config(const Config& config);

// Writes one model's settings as a YAML document, and reads them: parse_model(emit_model(m)) == m. The front-end
// passes only this to a worker, so that no other setting of the server reaches it. parse_model returns kBadConfig on
// failure.
[[nodiscard]] std::string emit_model(const ModelConfig& model);
[[nodiscard]] Outcome<ModelConfig> parse_model(std::string_view text);

// Reads the settings of one model from a file that has the keys of an item of `models` without `name`. Relative
// paths become absolute against `directory`. Returns kBadConfig with all problems on failure.
[[nodiscard]] Outcome<ModelConfig> parse_named_model(std::string_view text, const std::string& source_name,
                                                     const std::filesystem::path& directory, const std::string& name);

}  // namespace yolod::common
