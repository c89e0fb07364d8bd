// The keys of the protocols of other programs.
#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "common/config/tables.hpp"
#include "common/text.hpp"

namespace yolod::common {
namespace {

constexpr std::size_t kMostAliases = 256;
constexpr std::size_t kLongestAlias = 64;

using Aliases = std::map<std::string, std::string, std::less<>>;

void read_aliases(ConfigReader& reader, const YamlNode& node, Aliases& aliases) {
  if (node.kind != YamlNode::Kind::kMap) {
    reader.problem(node.mark, std::string(kind_name(node.kind)) + ", a map such as {general: yolo} is needed");
    return;
  }
  if (node.items.size() > kMostAliases) {
    reader.problem(node.mark, std::to_string(node.items.size()) + " names, at most " + std::to_string(kMostAliases) +
                                  " are allowed");
    return;
  }
  aliases.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const YamlKey& key = node.keys[i];
    reader.read_below(
        printable(key.text, kLongestAlias), node.items[i], [&](ConfigReader& below, const YamlNode& item) {
          if (key.text.empty() || key.text.size() > kLongestAlias) {
            return below.problem(key.mark, "a name of 1 to " + std::to_string(kLongestAlias) + " characters is needed");
          }
          auto model = below.text_of(item, "a model's name");
          if (!model.has_value()) return;
          if (!aliases.emplace(key.text, *std::move(model)).second) below.problem(key.mark, "the name is given twice");
        });
  }
}

Field aliases_field(std::string_view name, Aliases& aliases) {
  return Field{name, [&aliases](ConfigReader& reader, const YamlNode& node) { read_aliases(reader, node, aliases); },
               [&aliases]() -> std::optional<YamlNode> {
                 if (aliases.empty()) return std::nullopt;
                 YamlNode map = YamlNode::map();
                 for (const auto& [alias, model] : aliases) map.add({alias, {}}, YamlNode::string(model));
                 return map;
               }}
      .allows("a map of names to models, such as {general: yolo}");
}

constexpr std::size_t kMostPatterns = 64;
constexpr std::size_t kLongestPattern = 200;

bool is_pattern(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*";
  return !text.empty() && text.size() <= kLongestPattern && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

Field patterns_field(std::string_view name, std::vector<std::string>& patterns) {
  Field field = strings_field(name, patterns);
  field.read = [&patterns, read = field.read](ConfigReader& reader, const YamlNode& node) {
    read(reader, node);
    if (node.kind != YamlNode::Kind::kSequence) return;  // the problem has been reported
    if (patterns.size() > kMostPatterns) {
      reader.problem(node.mark, "at most " + std::to_string(kMostPatterns) + " patterns are allowed");
    }
    for (const std::string& pattern : patterns) {
      if (pattern.empty() || is_pattern(pattern)) continue;
      reader.problem(node.mark, shown(pattern) + " is no pattern, allowed: letters, digits, '-', '_', '.' and '*'");
    }
  };
  return std::move(field).allows("a list of names of objects below /dev/shm; * matches any characters");
}

}  // namespace

Fields fields_of(OipConfig& oip) {
  return {bool_field("enabled", oip.enabled).means("With false the server has no path below /v2."),
          patterns_field("shared_memory", oip.shared_memory)
              .means("Clients on this machine may send and receive tensors in POSIX shared memory of these names, such "
                     "as [yolod-*]. An empty list turns this off. Every client that may send requests can read and "
                     "write objects of these names through the server, if the server's user can. A reload that no "
                     "longer allows a name ends its use.")};
}

Fields fields_of(DoodsConfig& doods) {
  return {
      bool_field("enabled", doods.enabled).means("With false the server has no paths /detectors and /detect."),
      aliases_field("aliases", doods.aliases)
          .means("Names of detectors that clients use, and the models of this file that they mean. The name default "
                 "chooses the model of requests that name no detector.")
          .absent("each model has only its own name, and default is the default model"),
  };
}

Fields fields_of(RoboflowConfig& roboflow) {
  return {
      bool_field("enabled", roboflow.enabled)
          .means("With false the server has no paths /{project}/{version}, /infer/object_detection and "
                 "/model/registry."),
      real_field("confidence", roboflow.confidence, 0, 1)
          .means("An object must reach this confidence if the request has none."),
      aliases_field("aliases", roboflow.aliases)
          .means(
              "Models that clients name, as \"project/version\" or as project, and the models of this file that they "
              "mean.")
          .absent("the project is the name of the model, and the version chooses nothing"),
  };
}

Fields fields_of(DeepStackConfig& deepstack) {
  return {
      bool_field("enabled", deepstack.enabled)
          .means("With false the server has no path below /v1/vision, /v1/status and /v1/server."),
      real_field("confidence", deepstack.confidence, 0, 1)
          .means("An object must reach this confidence if the request has no min_confidence."),
      count_field("max_predictions", deepstack.max_predictions, 1, 10'000)
          .means("An answer has at most this many objects, the ones of the highest confidence. Frigate's client fails "
                 "with more than 20."),
      choice_field<DeepStackErrors>("errors", deepstack.errors,
                                    {{"status", DeepStackErrors::kStatus}, {"success", DeepStackErrors::kSuccess}})
          .means("With status a failed request has a status of 400 or more, as with DeepStack. With success a request "
                 "whose picture or values are wrong has status 200 and \"success\": false, as with CodeProject.AI."),
      aliases_field("aliases", deepstack.aliases)
          .means("Names of models that clients use, and the models of this file that they mean. The names detection, "
                 "scene and enhance choose the models of these paths.")
          .absent("each model has only its own name, and the paths use the default model"),
  };
}

}  // namespace yolod::common
