// Reads system.yaml, both forms of it, strictly; and writes it back: the whole as a person reads it, and one model's
// settings for its worker.
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

// The config, or every problem found in it, in the order of the file. Exactly one of the two is non-empty.
struct ConfigOutcome {
  std::optional<Config> config;
  std::vector<ConfigProblem> problems;
};

// What else there is to say against a config than its form: `key` as in ConfigProblem. Asked also where the form has
// problems, of what could be read, so that all are told at once.
struct KeyProblem {
  std::string key;
  std::string message;
};
using ConfigCheck = std::function<std::vector<KeyProblem>(const Config&)>;

// `text` is YAML; `source_name` is what messages call it; relative paths in it become absolute against `directory`
// (the config file's folder), or against its own `base_dir` key if it has one. Each of `overrides` is "KEY=VALUE"
// as given to --set, the value read as YAML; KEY is dotted ("server.listen", "models[0].workers" or
// "models.NAME.workers"). Does no I/O: files that the config names are not opened. Never throws.
//
// The short form (`workers` with `model_path` at the top level, in place of `models`) gives one Darknet model, named
// after its weights file without folder and extension; characters that a name may not have become '-'.
[[nodiscard]] ConfigOutcome parse_config(std::string_view text, const std::string& source_name,
                                         const std::filesystem::path& directory,
                                         const std::vector<std::string>& overrides = {}, const ConfigCheck& check = {});

// parse_config() of a file. A file that cannot be read is a problem like any other.
[[nodiscard]] ConfigOutcome load_config(const std::filesystem::path& file,
                                        const std::vector<std::string>& overrides = {}, const ConfigCheck& check = {});

// The whole config as a YAML document, every key of it, models in their long form and paths absolute:
// parse_config(emit_config(c)) gives c, but for its warnings. It holds no secret, as a Config has none.
[[nodiscard]] std::string emit_config(const Config& config);

// One model's settings as a YAML document, and back: parse_model(emit_model(m)) == m. The front-end hands a worker
// this and nothing else, so that no server secret reaches it. An error of parse_model is kBadConfig.
[[nodiscard]] std::string emit_model(const ModelConfig& model);
[[nodiscard]] Outcome<ModelConfig> parse_model(std::string_view text);

}  // namespace yolod::common
