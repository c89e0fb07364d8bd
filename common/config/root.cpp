#include "common/config/root.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "common/config/model_fields.hpp"
#include "common/config/tables.hpp"

namespace yolod::common {

namespace {

Fields fields_of(ShortForm& short_form) {
  Field files = section_field("model_path", short_form.source).means("These are the model's files.");
  files.required = true;
  return {workers_field("max_workers", short_form.max_workers).means("This many processes serve the model."),
          std::move(files),
          input_size_field("img_size", short_form.img_size)
              .means("The network looks at pictures of this size in pixels.")
              .absent("the cfg's")};
}

void read_models(ConfigReader& reader, const YamlNode& node, std::vector<ModelConfig>& models) {
  if (node.kind != YamlNode::Kind::kSequence) {
    reader.problem(node.mark, std::string(kind_name(node.kind)) + ", a list of models (- name: ...) is needed");
    return;
  }
  if (node.items.empty() || node.items.size() > kMostModels) {
    reader.problem(node.mark, "a list of " + std::to_string(node.items.size()) + ", 1 to " +
                                  std::to_string(kMostModels) + " models are allowed");
    return;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    ModelConfig model;
    reader.read_below('[' + std::to_string(i) + ']', node.items[i], [&](ConfigReader& below, const YamlNode& item) {
      read_model(below, item, model);
      const bool taken = std::any_of(models.begin(), models.end(),
                                     [&model](const ModelConfig& other) { return other.name == model.name; });
      if (!taken || model.name.empty()) return;
      below.read_below("name", *item.find("name"), [&model](ConfigReader& at_name, const YamlNode& name) {
        at_name.problem(name.mark, shown(model.name) + " is another model's name, each name is allowed once");
      });
    });
    models.push_back(std::move(model));
  }
}

Field models_field(std::vector<ModelConfig>& models) {
  Field field{"models", [&models](ConfigReader& reader, const YamlNode& node) { read_models(reader, node, models); },
              [&models]() -> std::optional<YamlNode> {
                YamlNode list = YamlNode::sequence();
                for (ModelConfig& model : models) list.items.push_back(write_map(fields_of(model)));
                return list;
              }};
  field.show_keys = show_keys_of<ModelConfig>;
  field.is_list = true;
  return std::move(field).means("The server serves these models, 1 to 64 of them.");
}

// schema.cpp reads base_dir before all other keys. This field only reports a wrong value.
Field base_dir_field() {
  return Field{"base_dir",
               [](ConfigReader& reader, const YamlNode& node) {
                 const auto text = reader.text_of(node, "a path");
                 if (text.has_value() && text->empty()) reader.problem(node.mark, "empty, a path is needed");
               },
               {}}
      .allows("a path")
      .means("Relative paths in the file are relative to this folder.")
      .absent("the file's own folder");
}

Field short_form_field(ShortForm& short_form) {
  Field field{"workers",
              [&short_form](ConfigReader& reader, const YamlNode& node) {
                short_form.used = true;
                reader.read_map(node, fields_of(short_form));
              },
              {}};
  field.show_keys = [](const Field::Visitor& visit) {
    ShortForm shown;
    visit(fields_of(shown));
  };
  return std::move(field).means("This short form stands in for models and describes one Darknet model.");
}

Field postgres_field(std::optional<PostgresConfig>& postgres) {
  Field field{"postgres",
              [&postgres](ConfigReader& reader, const YamlNode& node) {
                reader.read_map(node, yolod::common::fields_of(postgres.emplace()));
              },
              [&postgres]() -> std::optional<YamlNode> {
                if (!postgres.has_value()) return std::nullopt;
                return write_map(yolod::common::fields_of(*postgres));
              }};
  field.show_keys = show_keys_of<PostgresConfig>;
  return std::move(field).means("The server keeps the accounts of people in this PostgreSQL database.");
}

}  // namespace

Fields root_fields(Config& config, ShortForm& short_form) {
  return {
      section_field("server", config.server)
          .means("These keys set the addresses, limits and times of the HTTP server."),
      section_field("access", config.access).means("These keys say who may use the server, and how much."),
      section_field("deepstack", config.deepstack)
          .means("These keys set the protocol of DeepStack and CodeProject.AI."),
      section_field("doods", config.doods).means("These keys set the protocol of DOODS."),
      section_field("oip", config.oip).means("These keys set the Open Inference Protocol."),
      section_field("roboflow", config.roboflow).means("These keys set the protocol of Roboflow's inference server."),
      section_field("memory", config.memory).means("This key says how much memory requests take."),
      section_field("logging", config.logging).means("These keys say how the log is written."),
      sandbox_field(config.sandbox),
      models_field(config.models),
      string_field("default_model", config.default_model)
          .allows("a model's name")
          .means("Requests that name no model go to this model.")
          .absent("the first model"),
      base_dir_field(),
      short_form_field(short_form),
      postgres_field(config.postgres)};
}

}  // namespace yolod::common
