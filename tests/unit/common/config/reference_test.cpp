// Tests the reference of all keys: it has every key, and for each key the facts that a reader needs.
#include "common/config/reference.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/common/parsed_config.hpp"

namespace yolod::common {
namespace {

const ConfigSection* section_of(const std::vector<ConfigSection>& sections, std::string_view key) {
  const auto found = std::find_if(sections.begin(), sections.end(), [key](const auto& one) { return one.key == key; });
  return found == sections.end() ? nullptr : &*found;
}

const ConfigKey& key_of(const std::vector<ConfigSection>& sections, std::string_view section, std::string_view name) {
  const auto* const found = section_of(sections, section);
  REQUIRE(found != nullptr);
  const auto key =
      std::find_if(found->keys.begin(), found->keys.end(), [name](const auto& one) { return one.name == name; });
  REQUIRE(key != found->keys.end());
  return *key;
}

bool is_sentence(std::string_view text) {
  return text.size() > 15 && text.front() >= 'A' && text.front() <= 'Z' && text.ends_with('.') &&
         text.find('\n') == std::string_view::npos;
}

// The error message of an unknown key at this place lists these keys. They are sorted here.
std::vector<std::string> keys_told(const std::string& text) {
  constexpr std::string_view kList = "Allowed here: ";
  const auto problem = problem_of(text);
  const auto begin = problem.find(kList);
  REQUIRE(begin != std::string::npos);
  std::vector<std::string> told;
  for (auto at = begin + kList.size(); at < problem.size();) {
    const auto comma = std::min(problem.find(", ", at), problem.size());
    told.push_back(problem.substr(at, comma - at));
    at = comma + 2;
  }
  std::sort(told.begin(), told.end());
  return told;
}

// Lists the keys of that section in the reference, sorted. The sections inside it count as keys.
std::vector<std::string> keys_in(const std::vector<ConfigSection>& sections, const std::string& section) {
  std::vector<std::string> names;
  const auto* const found = section_of(sections, section);
  REQUIRE(found != nullptr);
  for (const auto& key : found->keys) {
    names.push_back(key.name);
    if (!key.other_name.empty()) names.push_back(key.other_name);
  }
  const auto prefix = section.empty() ? section : section + '.';
  for (const auto& one : sections) {
    if (one.key.empty() || !one.key.starts_with(prefix)) continue;
    auto name = one.key.substr(prefix.size());
    if (name.ends_with("[]")) name.resize(name.size() - 2);
    if (name.find_first_of(".[") == std::string::npos) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());  // `listen` takes a value and a map
  return names;
}

TEST_CASE("ConfigReference: each section and key has its meaning in one sentence", "[common][unit]") {
  for (const auto& section : config_reference()) {
    CAPTURE(section.key);
    if (!section.key.empty()) CHECK(is_sentence(section.meaning));
    for (const auto& key : section.keys) {
      CAPTURE(key.name);
      CHECK(is_sentence(key.meaning));
      CHECK_FALSE(key.allowed.empty());
      CHECK((key.default_value.empty() && key.when_absent.empty()) == key.required);
    }
  }
}

TEST_CASE("ConfigReference: the reference has exactly the keys that the reader knows", "[common][unit]") {
  const auto sections = config_reference();
  const auto check = [&sections](const std::string& section, const std::string& text) {
    CAPTURE(section);
    CHECK(keys_in(sections, section) == keys_told(text));
  };
  const std::string models = "models: [{name: a, identity: {}}]\n";
  check("", models + "zzz: 1\n");
  check("server", models + "server: {zzz: 1}\n");
  check("server.listen[]", models + "server: {listen: [{path: /s, zzz: 1}]}\n");
  check("server.listen[].tls", models + "server: {listen: [{address: 127.0.0.1:1, tls: {zzz: 1}}]}\n");
  check("server.tls", models + "server: {tls: {zzz: 1}}\n");
  check("memory", models + "memory: {zzz: 1}\n");
  check("logging", models + "logging: {zzz: 1}\n");
  check("models[]", "models: [{name: a, identity: {}, zzz: 1}]\n");
  check("models[].darknet", "models: [{name: a, darknet: {cfg: a, weights: a, names: a, zzz: 1}}]\n");
  check("models[].torchscript", "models: [{name: a, torchscript: {file: a, zzz: 1}}]\n");
  check("models[].identity", "models: [{name: a, identity: {zzz: 1}}]\n");
  for (const std::string section :
       {"batch", "queue", "recycle", "canary", "preprocess", "detect", "classify", "image", "limits"}) {
    check("models[]." + section, "models: [{name: a, identity: {}, " + section + ": {zzz: 1}}]\n");
  }
  const std::string files = "model_path: {cfg: a, weights: a, names: a";
  check("workers", "workers: {zzz: 1, " + files + "}}\n");
  check("workers.model_path", "workers: {" + files + ", zzz: 1}}\n");
}

TEST_CASE("ConfigReference: the reference has the defaults and ranges of the reader", "[common][unit]") {
  const auto sections = config_reference();
  CHECK(key_of(sections, "server", "listen").default_value == R"(["127.0.0.1:8080"])");
  CHECK(key_of(sections, "server", "max_body_bytes").default_value == "16MiB");
  CHECK(key_of(sections, "server", "max_body_bytes").allowed == "1KiB to 1GiB");
  CHECK(key_of(sections, "server", "idle_timeout").default_value == "75s");
  CHECK(key_of(sections, "models[]", "workers").allowed == "a whole number from 1 to 256");
  CHECK(key_of(sections, "models[]", "precision").allowed == "auto, fp32, bf16, fp16");
  CHECK(key_of(sections, "models[].batch", "max_size").default_value == "auto");
  CHECK(key_of(sections, "models[].limits", "max_pixels").default_value == "100MP");
  CHECK(key_of(sections, "models[].recycle", "max_requests").allowed == "a whole number, 0 or more");
  CHECK(key_of(sections, "models[].darknet", "names").other_name == "data");
  CHECK(key_of(sections, "models[].darknet", "names").required);
  CHECK(key_of(sections, "", "base_dir").when_absent == "the file's own folder");
}

}  // namespace
}  // namespace yolod::common
