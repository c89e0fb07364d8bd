#include "common/config/reference.hpp"

#include <utility>

#include "common/config/fields.hpp"
#include "common/config/root.hpp"
#include "common/config/yaml.hpp"

namespace yolod::common {
namespace {

std::string default_of(const Field& field) {
  if (field.required || !field.when_absent.empty()) return {};
  const auto written = field.write ? field.write() : std::nullopt;
  if (!written.has_value()) return {};
  auto text = to_yaml(*written);
  text.pop_back();  // removes the line feed
  return text;
}

void add_section(const Fields& fields, ConfigSection section, std::vector<ConfigSection>& sections) {
  for (const Field& field : fields) {
    if (field.allowed.empty()) continue;
    section.keys.push_back({std::string(field.name), std::string(field.other_name), field.required, default_of(field),
                            std::string(field.when_absent), field.allowed, std::string(field.meaning)});
  }
  const std::string prefix = section.key.empty() ? "" : section.key + '.';
  sections.push_back(std::move(section));
  for (const Field& field : fields) {
    if (!field.show_keys) continue;
    const std::string key = prefix + std::string(field.name) + (field.is_list ? "[]" : "");
    field.show_keys([&](const Fields& below) {
      // If a key takes a map or a simple value, the row of the simple value has its meaning.
      const auto meaning = field.allowed.empty() ? field.meaning : "A map here has these keys.";
      add_section(below, {key, field.required, std::string(meaning), {}}, sections);
    });
  }
}

}  // namespace

std::vector<ConfigSection> config_reference() {
  Config config;
  ShortForm short_form;
  std::vector<ConfigSection> sections;
  add_section(root_fields(config, short_form), {}, sections);
  return sections;
}

}  // namespace yolod::common
