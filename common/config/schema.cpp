#include "common/config/schema.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <exception>

#include "common/config/fields.hpp"
#include "common/config/overrides.hpp"
#include "common/config/root.hpp"
#include "common/config/tables.hpp"
#include "common/config/yaml.hpp"
#include "common/domain/sandbox_state.hpp"
#include "common/system/plain_file.hpp"
#include "common/text.hpp"

namespace yolod::common {
namespace {

namespace fs = std::filesystem;

// Returns the name of the short form's model: the file name of the weights without folder and extension. '-'
// replaces the characters that a name may not have.
std::string name_from_weights(const fs::path& weights) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  std::string name = weights.stem().string().substr(0, 64);
  for (char& c : name) {
    if (kAllowed.find(c) == std::string_view::npos) c = '-';
  }
  const std::size_t begin = name.find_first_not_of("-.");
  return begin == std::string::npos ? "model" : name.substr(begin);
}

// Returns the mark of the value at a key such as "models[0].detect.augment", or of the nearest node above it.
YamlMark mark_of(const YamlNode& root, std::string_view key) {
  const YamlNode* node = &root;
  while (!key.empty()) {
    const bool indexed = key.starts_with('[');
    const auto end = std::min(indexed ? key.find(']') + 1 : key.find_first_of(".["), key.size());
    const auto part = key.substr(0, end);
    key.remove_prefix(end);
    if (key.starts_with('.')) key.remove_prefix(1);
    std::size_t index = 0;
    const YamlNode* next = nullptr;
    if (!indexed) {
      next = node->find(part);
      // The short form describes one model, without a models list.
      if (next == nullptr && node == &root && part == "models") return mark_of(root, "workers");
    } else if (std::from_chars(part.data() + 1, part.data() + part.size(), index).ec == std::errc{} &&
               index < node->items.size()) {
      next = &node->items[index];
    }
    if (next == nullptr) return node->mark;
    node = next;
  }
  return node->mark;
}

void check_postgres(ConfigReader& reader, const YamlNode& root, const PostgresConfig& postgres) {
  if (!postgres.password.empty() && !postgres.password_file.empty()) {
    reader.problem_at("postgres.password_file", mark_of(root, "postgres.password_file"),
                      "there is a password as well, only one of the two is allowed");
  }
  if (postgres.minsize > postgres.maxsize) {
    reader.problem_at("postgres.minsize", mark_of(root, "postgres.minsize"),
                      std::to_string(postgres.minsize) + " is more than maxsize (" + std::to_string(postgres.maxsize) +
                          "), at most maxsize is allowed");
  }
}

void check_aliases(ConfigReader& reader, const YamlNode& root, const Config& config) {
  const auto check = [&](const std::string& section, const auto& aliases) {
    for (const auto& alias : aliases) {
      const bool is_there = std::any_of(config.models.begin(), config.models.end(),
                                        [&alias](const ModelConfig& model) { return model.name == alias.second; });
      if (is_there) continue;
      reader.problem_at(section + "." + alias.first, mark_of(root, section),
                        shown(alias.second) + " is not the name of a model");
    }
  };
  check("deepstack.aliases", config.deepstack.aliases);
  check("doods.aliases", config.doods.aliases);
  check("roboflow.aliases", config.roboflow.aliases);
}

// Checks rules that concern more than one section.
void check_whole(ConfigReader& reader, const YamlNode& root, Config& config, const ShortForm& short_form) {
  const ServerConfig& server = config.server;
  // Unfinished uploads may reserve half of the arena, so the server could never accept a larger body.
  if (server.max_body_bytes > config.memory.input_arena_bytes / 2) {
    const bool body_given = root.find("server") != nullptr && root.find("server")->find("max_body_bytes") != nullptr;
    const YamlMark mark = body_given ? mark_of(root, "server.max_body_bytes") : mark_of(root, "memory.input_arena");
    reader.problem_at(body_given ? "server.max_body_bytes" : "memory.input_arena", mark,
                      "server.max_body_bytes is " + format_size(server.max_body_bytes) + ", at most half of " +
                          "memory.input_arena (" + format_size(config.memory.input_arena_bytes) + ") is allowed");
  }
  const YamlNode* const access = root.find("access");
  const bool mode_given = access != nullptr && access->find("mode") != nullptr;
  if (!server.api_keys_file.empty() && !mode_given) config.access.mode = AccessMode::kKeys;
  if (!server.api_keys_file.empty() && config.access.mode == AccessMode::kOpen) {
    reader.problem_at("access.mode", mark_of(root, "access.mode"),
                      "open needs no API key, but server.api_keys_file is given; write keys, or remove the file's key");
  }
  if (!server.admin_listen.ends_with(":0") &&
      std::any_of(server.listen.begin(), server.listen.end(),
                  [&server](const ListenAddress& public_one) { return public_one.address == server.admin_listen; })) {
    reader.problem_at("server.admin_listen", mark_of(root, "server.admin_listen"),
                      shown(server.admin_listen) + " is in server.listen as well, another address is needed");
  }

  // People could register with the program whose config the short form is.
  const bool register_given = access != nullptr && access->find("register") != nullptr;
  if (short_form.used && config.postgres.has_value() && !register_given) {
    config.access.register_policy = RegisterPolicy::kOpen;
  }
  if (config.access.register_policy != RegisterPolicy::kClosed && !config.has_accounts()) {
    reader.problem_at("access.register", mark_of(root, "access.register"),
                      "people may register, but there is no database for them: give server.state_dir or postgres");
  }
  if (config.postgres.has_value()) check_postgres(reader, root, *config.postgres);

  const YamlNode* models = root.find("models");
  const YamlNode* workers = root.find("workers");
  if (models != nullptr && workers != nullptr) {
    reader.problem_at("workers", workers->mark,
                      "workers at the top level is the short form of one model, with a models list it is not allowed "
                      "(a model's own number of workers goes into its map)");
    return;
  }
  if (models == nullptr && workers == nullptr) {
    reader.problem_at("models", root.mark, "missing, a list of at least one model is needed");
    return;
  }
  if (short_form.used) {
    ModelConfig model;
    model.name = name_from_weights(short_form.source.weights);
    model.source = short_form.source;
    model.workers = short_form.max_workers;
    model.input_size = short_form.img_size;
    config.models.push_back(std::move(model));
  }
  if (config.models.empty()) return;
  check_aliases(reader, root, config);
  if (config.default_model.empty()) {
    config.default_model = config.models.front().name;
    return;
  }
  std::string names;
  for (const ModelConfig& model : config.models) {
    if (model.name == config.default_model) return;
    names += (names.empty() ? "" : ", ") + shown(model.name);
  }
  reader.problem_at("default_model", root.find("default_model")->mark,
                    shown(config.default_model) + " is no model of this config, allowed: " + names);
}

// Returns the name of an override for messages. It hides the value of a database key, because a password must not
// reach the log.
std::string override_name(const std::string& text) {
  constexpr std::string_view kSecret = "postgres";
  const std::string shown_text = text.starts_with(kSecret) ? text.substr(0, text.find('=')) + "=..." : text;
  return "--set " + printable(shown_text, 200);
}

void apply_override(ConfigReader& reader, YamlNode& root, const std::string& text, std::uint32_t source) {
  const YamlMark mark{source, 0, 0};
  const std::size_t equals = text.find('=');
  const std::string key = text.substr(0, equals);
  if (equals == std::string::npos) {
    reader.problem_at("", mark, "there is no =, KEY=VALUE is needed");
    return;
  }
  auto parsed = parse_yaml(std::string_view(text).substr(equals + 1), source);
  if (const auto* fault = std::get_if<YamlFault>(&parsed)) {
    reader.problem_at(printable(key, 60), mark, "the value is not YAML: " + fault->message);
    return;
  }
  YamlNode value = std::get<YamlNode>(std::move(parsed));
  value.mark.source = source;  // an empty value has no mark
  if (const auto problem = set_value(root, key, std::move(value))) {
    reader.problem_at(printable(key, 60), mark, *problem);
  }
}

// Read base_dir first, wherever it stands in the file, because every relative path depends on it.
void apply_base_dir(ConfigReader& reader, const YamlNode& root) {
  const YamlNode* base_dir = root.find("base_dir");
  if (base_dir == nullptr || base_dir->kind != YamlNode::Kind::kScalar || base_dir->text.empty()) return;
  reader.set_base(reader.resolved(base_dir->text));
}

fs::path absolute_directory(const fs::path& directory) {
  std::error_code error;
  fs::path absolute = fs::absolute(directory.empty() ? fs::path(".") : directory, error);
  return (error ? directory : absolute).lexically_normal();
}

ConfigOutcome parse_config_or_throw(std::string_view text, const std::string& source_name, const fs::path& directory,
                                    const std::vector<std::string>& overrides, const ConfigCheck& check) {
  std::vector<std::string> sources{source_name};
  for (const std::string& override_text : overrides) sources.push_back(override_name(override_text));
  ConfigReader reader(std::move(sources), absolute_directory(directory));

  auto parsed = parse_yaml(text, 0);
  if (const auto* fault = std::get_if<YamlFault>(&parsed)) {
    reader.problem_at("", fault->mark, fault->message);
    return {std::nullopt, reader.take_problems()};
  }
  YamlNode root = std::get<YamlNode>(std::move(parsed));
  if (root.mark.line == 0) root.mark = {0, 1, 1};  // an empty document
  for (std::size_t i = 0; i < overrides.size(); ++i) {
    apply_override(reader, root, overrides[i], static_cast<std::uint32_t>(i + 1));
  }

  Config config;
  ShortForm short_form;
  apply_base_dir(reader, root);
  reader.read_map(root, root_fields(config, short_form));
  if (root.kind == YamlNode::Kind::kMap || root.kind == YamlNode::Kind::kNull) {
    check_whole(reader, root, config, short_form);
  }
  if (check) {
    for (auto& [key, message] : check(config)) reader.problem_at(key, mark_of(root, key), std::move(message));
  }
  if (reader.has_problems()) return {std::nullopt, reader.take_problems()};
  for (ModelConfig& model : config.models) model.sandbox = config.sandbox;
  return {std::move(config), {}};
}

}  // namespace

std::string_view to_string(SandboxMode mode) {
  switch (mode) {
    case SandboxMode::kAuto: return "auto";
    case SandboxMode::kRequired: return "required";
    case SandboxMode::kOff: return "off";
    case SandboxMode::kReport: return "report";
  }
  return "off";
}

std::string to_string(const ConfigProblem& problem) {
  return problem.where + ": " + (problem.key.empty() ? "" : problem.key + ": ") + problem.message;
}

ConfigOutcome parse_config(std::string_view text, const std::string& source_name, const fs::path& directory,
                           const std::vector<std::string>& overrides, const ConfigCheck& check) {
  try {
    return parse_config_or_throw(text, source_name, directory, overrides, check);
  } catch (const std::exception& e) {
    return {std::nullopt, {{source_name, "", std::string("cannot be read: ") + printable(e.what(), 200)}}};
  }
}

ConfigOutcome load_config(const fs::path& file, const std::vector<std::string>& overrides, const ConfigCheck& check) {
  const auto unreadable = [&file](std::string_view why) {
    return ConfigOutcome{std::nullopt, {{file.string(), "", std::string(why)}}};
  };
  const auto fd = open_plain_file(file);
  if (!fd) return unreadable(fd.error().message);
  std::string text;
  std::array<char, 65'536> piece{};
  while (text.size() <= kMaxYamlBytes) {  // parse_config() refuses a larger text
    const ssize_t count = ::read(fd->get(), piece.data(), piece.size());
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return unreadable(last_system_error("cannot be read").message);
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  return parse_config(text, file.string(), file.parent_path(), overrides, check);
}

std::string emit_config(const Config& config) {
  Config copy = config;  // fields need references to non-const members
  ShortForm unused;
  return to_yaml(write_map(root_fields(copy, unused)));
}

std::string emit_model(const ModelConfig& model) {
  ModelConfig copy = model;  // fields need references to non-const members
  Fields fields = fields_of(copy);
  fields.push_back(sandbox_field(copy.sandbox));
  return to_yaml(write_map(fields));
}

namespace {

Error all_problems(ConfigReader& reader) {
  std::string message;
  for (const ConfigProblem& problem : reader.take_problems()) {
    message += (message.empty() ? "" : "; ") + to_string(problem);
  }
  return {ErrorCode::kBadConfig, std::move(message)};
}

}  // namespace

Outcome<ModelConfig> parse_named_model(std::string_view text, const std::string& source_name, const fs::path& directory,
                                       const std::string& name) {
  try {
    ConfigReader reader({source_name}, absolute_directory(directory));
    auto parsed = parse_yaml(text, 0);
    if (const auto* fault = std::get_if<YamlFault>(&parsed)) {
      reader.problem_at("", fault->mark, fault->message);
      return all_problems(reader);
    }
    YamlNode root = std::get<YamlNode>(std::move(parsed));
    if (root.kind == YamlNode::Kind::kNull) root = YamlNode::map();
    if (root.find("name") != nullptr) {
      reader.problem_at("name", root.find("name")->mark, "the folder has the model's name, so the key is not allowed");
    } else if (root.kind == YamlNode::Kind::kMap) {
      root.add({"name", root.mark}, YamlNode::string(name));
    }
    ModelConfig model;
    read_model(reader, root, model);
    if (reader.has_problems()) return all_problems(reader);
    return model;
  } catch (const std::exception& e) {
    return Error{ErrorCode::kBadConfig, source_name + ": " + printable(e.what(), 200)};
  }
}

Outcome<ModelConfig> parse_model(std::string_view text) {
  try {
    auto parsed = parse_yaml(text, 0);
    if (const auto* fault = std::get_if<YamlFault>(&parsed)) {
      return Error{ErrorCode::kBadConfig, "model settings:" + std::to_string(fault->mark.line) + ':' +
                                              std::to_string(fault->mark.column) + ": " + fault->message};
    }
    ModelConfig model;
    ConfigReader reader({"model settings"}, fs::path());
    read_model(reader, std::get<YamlNode>(parsed), model, {sandbox_field(model.sandbox)});
    if (!reader.has_problems()) return model;
    return all_problems(reader);
  } catch (const std::exception& e) {
    return Error{ErrorCode::kBadConfig, std::string("model settings: ") + printable(e.what(), 200)};
  }
}

}  // namespace yolod::common
