#include "tools/yolodctl/model/info_torchscript.hpp"
#include "tools/yolodctl/model/json_line.hpp"

#include <boost/json.hpp>
#include <cstdio>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/domain/task.hpp"
#include "common/text.hpp"
#include "model/load/load_script.hpp"
#include "model/rules/script_metadata.hpp"

namespace yolod::tools {
namespace {

namespace json = boost::json;
namespace torchscript = model::torchscript;
using common::Task;
using torchscript::Origin;
using torchscript::ScriptReport;

// A row of the table, and a key of the JSON.
struct Fact {
  std::string key;
  std::string value;
  Origin from;
};

std::string word_of(Origin origin) {
  switch (origin) {
    case Origin::kConfig: return "config";
    case Origin::kFile: return "file";
    case Origin::kGuess: return "guess";
    case Origin::kDefault: return "default";
  }
  return "default";
}

std::string phrase_of(Origin origin) {
  switch (origin) {
    case Origin::kConfig: return "from the command line or config";
    case Origin::kFile: return "from the file";
    case Origin::kGuess: return "found by a run on noise";
    case Origin::kDefault: return "as usual";
  }
  return "as usual";
}

std::string size_text(const model::NetworkShape& shape) {
  return std::to_string(shape.width) + " x " + std::to_string(shape.height) + " x " + std::to_string(shape.channels);
}

std::vector<Fact> facts_of(const ScriptReport& report) {
  const auto& rules = report.network->rules;
  const auto& from = report.from;
  const auto words = torchscript::words_of(rules);
  std::vector<Fact> facts{{"task", common::to_string(rules.task), from.task}};
  if (rules.task == Task::kDetect) {
    facts.push_back({"output", std::string(words.layout), from.output});
    facts.push_back({"coordinates", std::string(words.coordinates), from.coordinates});
  }
  if (rules.task == Task::kClassify) {
    facts.push_back({"output", rules.logits ? "logits" : "probabilities", from.output});
  }
  facts.push_back({"resize", std::string(words.resize), from.resize});
  facts.push_back(
      {"sampling", std::string(words.sampling), from.resize == Origin::kConfig ? Origin::kDefault : from.resize});
  return facts;
}

std::string joined(const std::set<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

void print_json(const ScriptReport& report) {
  const auto& module = report.module;
  json::object answer{{"task", nullptr},
                      {"parameters", module.parameters},
                      {"precision", joined(module.precisions)},
                      {"traced_on", nullptr},
                      {"stride", nullptr}};
  if (!module.traced_on.empty()) answer["traced_on"] = module.traced_on;
  if (report.stride) answer["stride"] = *report.stride;
  if (!report.network) {
    answer["problem"] = report.why_not;
    print_json_line(answer);
    return;
  }
  const auto& network = *report.network;
  const auto& shape = network.network->shape();
  json::object from{{"input", word_of(report.from.input_size)}};
  for (const auto& fact : facts_of(report)) {
    answer[fact.key] = fact.value;
    from[fact.key] = word_of(fact.from);
  }
  answer["runs"] = name_of(report.form);
  answer["input"] = {shape.channels, shape.height, shape.width};
  if (network.rules.task == Task::kDetect) answer["candidates"] = shape.candidates;
  if (network.rules.task != Task::kImage) {
    answer["classes"] = network.labels.size();
    answer["names"] = json::array(network.labels.begin(), network.labels.end());
    from["names"] = word_of(report.from.names);
  }
  answer["from"] = std::move(from);
  print_json_line(answer);
}

void print_row(const std::string& key, const std::string& value, const std::string& whence) {
  std::printf("  %-12s %-28s %s\n", key.c_str(), value.c_str(), whence.c_str());
}

void print_table(const std::string& file, const ScriptReport& report) {
  const auto& module = report.module;
  std::printf("%s: TorchScript, %lld parameters, %s\n", common::printable(file).c_str(),
              static_cast<long long>(module.parameters),
              module.precisions.empty() ? "no floating point" : joined(module.precisions).c_str());
  if (!module.traced_on.empty()) print_row("traced on", module.traced_on, "yolod runs it on the CPU");
  if (!report.network) {
    std::printf("  not a network for pictures: %s\n", report.why_not.c_str());
    return;
  }
  const auto& network = *report.network;
  const auto& shape = network.network->shape();
  for (const auto& fact : facts_of(report)) print_row(fact.key, fact.value, phrase_of(fact.from));
  print_row("input", size_text(shape), phrase_of(report.from.input_size));
  print_row("runs", name_of(report.form), "found by a run on noise");
  if (report.stride) print_row("stride", std::to_string(*report.stride), phrase_of(Origin::kFile));
  if (network.rules.task == Task::kDetect) print_row("candidates", std::to_string(shape.candidates), "");
  if (network.rules.task == Task::kImage) return;
  const bool numbers = report.from.names == Origin::kDefault;
  print_row("classes", std::to_string(network.labels.size()),
            numbers ? "nothing names them" : "names: " + phrase_of(report.from.names));
}

}  // namespace

int info_torchscript(const ChosenModel& chosen, bool as_json) {
  const auto inspected = torchscript::inspect_script(chosen.config, chosen.context);
  if (!inspected) return report(inspected.error());
  if (as_json) {
    print_json(*inspected);
  } else {
    print_table(std::get<common::TorchScriptSource>(chosen.config.source).file.string(), *inspected);
  }
  return 0;
}

}  // namespace yolod::tools
