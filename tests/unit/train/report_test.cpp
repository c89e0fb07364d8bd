#include "tools/train/report.hpp"

#include <catch2/catch.hpp>

using namespace yolod;
using namespace yolod::train;
using Catch::Matchers::Contains;

namespace {

ReportFacts facts() {
  ReportFacts facts;
  facts.name = "my";
  facts.cfg = "cfgs/my.cfg";
  facts.folder = "training";
  facts.source = "48 pictures";
  facts.start = "random weights";
  facts.end = "all steps are done";
  facts.names = {"cat", "d|g", "cow"};
  facts.steps = 300;
  facts.images = 4'800;
  facts.minutes = 7.25;
  return facts;
}

model::eval::Evaluation evaluation(double ap50) {
  model::eval::Evaluation result;
  result.mean = {ap50, ap50 / 2};
  result.classes = {{4, 10, {ap50, ap50 / 2}}, {2, 3, {ap50, ap50 / 2}}, {0, 1, {}}};
  return result;
}

}  // namespace

TEST_CASE("Report: the report describes the network, the data and the commands to serve it", "[train][unit]") {
  const auto text = report_text(facts());
  CHECK_THAT(text, Contains("# Training of my") && Contains("| data | 48 pictures |") &&
                       Contains("300 steps, 4800 pictures learned from, 7.2 minutes") &&
                       Contains("yolod --config training/my.yaml") && Contains("There was no validation yet"));
}

TEST_CASE("Report: the report has the average precision of each class before and after", "[train][unit]") {
  auto told = facts();
  told.before = evaluation(0.2);
  told.after = evaluation(0.5);
  told.best_step = 240;
  const auto text = report_text(told);
  CHECK_THAT(text, Contains("holds the weights of step 240") &&
                       Contains("| cat | 4 | 20.0 % | 50.0 % | 10.0 % | 25.0 % |\n") && Contains("| d\\|g | 2 |") &&
                       Contains("| all | 6 | 20.0 % | 50.0 % |") && Contains("1 classes are in no held-out picture"));
  told.before.reset();
  CHECK_THAT(report_text(told), Contains("| cat | 4 | - | 50.0 % | - | 25.0 % |"));
  told.best_step = 0;
  CHECK_THAT(report_text(told), Contains("No validation was better than the start"));
}

TEST_CASE("Report: the config names the files that lie beside it", "[train][unit]") {
  CHECK_THAT(config_text("my"), Contains("cfg: \"my.cfg\", weights: \"my.weights\", names: \"my.names\""));
}
