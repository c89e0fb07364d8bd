#include "app/first_run/match.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "app/first_run/first_config.hpp"
#include "common/config/schema.hpp"

namespace yolod::app::first_run {
namespace {

using common::Task;

ModelFile cfg(const std::string& name, std::size_t classes) { return {name, FileKind::kCfg, Task::kDetect, classes}; }
ModelFile weights(const std::string& name) { return {name, FileKind::kDarknetWeights, Task::kDetect, 0}; }
ModelFile checkpoint(const std::string& name) { return {name, FileKind::kCheckpoint, Task::kDetect, 0}; }
ModelFile script(const std::string& name) { return {name, FileKind::kTorchScript, Task::kClassify, 0}; }
ModelFile labels(const std::string& name, std::size_t count) { return {name, FileKind::kLabels, Task::kDetect, count}; }

// Writes each model as "cfg weights names" or as "torchscript names".
std::vector<std::string> models_of(const Matches& matches) {
  std::vector<std::string> models;
  for (const auto& one : matches.models) {
    models.push_back((one.torchscript.empty() ? one.cfg + ' ' + one.weights : one.torchscript) + ' ' + one.names);
  }
  return models;
}

using Models = std::vector<std::string>;

TEST_CASE("Match: single files belong together, whatever their names are", "[app][unit]") {
  const auto matches = match({cfg("yolo.cfg", 6), checkpoint("best_model_12.pt"), labels("lights.txt", 6)});
  CHECK(models_of(matches) == Models{"yolo.cfg best_model_12.pt lights.txt"});
  CHECK(matches.problems.empty());
}

TEST_CASE("Match: each of several networks gets the files with its name", "[app][unit]") {
  const auto matches = match({cfg("a.cfg", 2), cfg("b.cfg", 3), weights("a.weights"), weights("b_final.weights"),
                              weights("b_best.weights"), labels("a.names", 2), labels("b.names", 3)});
  CHECK(models_of(matches) == Models{"a.cfg a.weights a.names", "b.cfg b_best.weights b.names"});
  REQUIRE(matches.problems.size() == 1);
  CHECK_THAT(matches.problems[0], Catch::StartsWith("b_final.weights "));
}

TEST_CASE("Match: the single files that remain after the names belong together", "[app][unit]") {
  CHECK(models_of(match({cfg("a.cfg", 2), cfg("b.cfg", 2), weights("a.weights"), weights("x.weights"),
                         labels("n.names", 2)})) == Models{"a.cfg a.weights n.names", "b.cfg x.weights n.names"});
}

TEST_CASE("Match: Darknet's own weights win over a checkpoint of the same name", "[app][unit]") {
  CHECK(models_of(match({cfg("a.cfg", 2), checkpoint("a.pt"), weights("a.weights"), labels("a.names", 2)})) ==
        Models{"a.cfg a.weights a.names"});
}

TEST_CASE("Match: labels are found by their number, and a list of another length is left out", "[app][unit]") {
  CHECK(models_of(match({cfg("a.cfg", 6), weights("a.weights"), labels("a.names", 80), labels("lights.txt", 6)})) ==
        Models{"a.cfg a.weights lights.txt"});
  CHECK(models_of(match({cfg("a.cfg", 6), weights("a.weights"), labels("notes.txt", 6), labels("lights.names", 6)})) ==
        Models{"a.cfg a.weights lights.names"});
}

TEST_CASE("Match: an ambiguous file is left out, and the reason names the files and the solution", "[app][unit]") {
  const auto ambiguous = match({cfg("a.cfg", 2), weights("x.weights"), weights("y.weights"), labels("a.names", 2)});
  CHECK(ambiguous.models.empty());
  REQUIRE(ambiguous.problems.size() == 1);
  CHECK_THAT(ambiguous.problems[0],
             Catch::StartsWith("a.cfg ") && Catch::Contains("x.weights, y.weights") && Catch::Contains("a.weights."));
  const auto unlabelled = match({cfg("a.cfg", 1), weights("a.weights")});
  CHECK(unlabelled.models.empty());
  REQUIRE(unlabelled.problems.size() == 1);
  CHECK_THAT(unlabelled.problems[0], Catch::Contains("1 label.") && Catch::Contains("a.names"));
  CHECK_THAT(match({weights("a.weights")}).problems.at(0), Catch::Contains("there is no cfg"));
  CHECK_THAT(match({checkpoint("a.pt")}).problems.at(0), Catch::Contains("PyTorch checkpoint"));
  CHECK_THAT(match({cfg("a.cfg", 1)}).problems.at(0), Catch::Contains("no weights"));
}

TEST_CASE("Match: each TorchScript file is a model, and only labels with its name belong to it", "[app][unit]") {
  const auto matches = match({labels("b.names", 7), labels("other.names", 7), script("a.pt"), script("b.pt")});
  CHECK(models_of(matches) == Models{"a.pt ", "b.pt b.names"});
  CHECK(matches.models[0].task == Task::kClassify);
}

TEST_CASE("Match: the names of models are valid in a config and differ from each other", "[app][unit]") {
  const auto matches = match({script("-a b.pt"), script("a+b.pt"), script("...pt"),
                              script(std::string(80, 'x') + ".pt"), script("null.pt"), script("12.pt")});
  std::vector<std::string> names;
  for (const auto& model : matches.models) names.push_back(model.name);
  CHECK(names == std::vector<std::string>{"a-b", "a-b-2", "model", std::string(58, 'x'), "null", "12"});
}

TEST_CASE("FirstConfig: the written config is valid and has those models, whatever their files are called",
          "[app][unit]") {
  const auto matches =
      match({cfg("a.cfg", 2), weights("a.weights"), labels("a.names", 2), script("null"), script("~.pt"),
             script("# \"x\": [\\].pt"), script("yes"), script("12"), checkpoint("left.pt")});
  const auto text = first_config(matches);
  INFO(text);
  const auto read = common::parse_config(text, "system.yaml", "/m");
  REQUIRE(read.config.has_value());
  const auto& models = read.config->models;
  REQUIRE(models.size() == matches.models.size());
  const common::DarknetSource darknet{"/m/a.cfg", "/m/a.weights", "/m/a.names"};
  CHECK(std::get<common::DarknetSource>(models[0].source) == darknet);
  for (std::size_t i = 1; i < models.size(); ++i) {
    CHECK(models[i].name == matches.models[i].name);
    CHECK(models[i].task == matches.models[i].task);
    CHECK(std::get<common::TorchScriptSource>(models[i].source).file == "/m/" + matches.models[i].torchscript);
  }
  CHECK_THAT(text, Catch::Contains("# - left.pt "));
}

}  // namespace
}  // namespace yolod::app::first_run
