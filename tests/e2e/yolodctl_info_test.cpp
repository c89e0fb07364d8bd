// yolodctl info: what a network is made of, without its weights.
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <string>

#include "tests/support/run_program.hpp"
#include "tests/support/temporary_directory.hpp"

namespace yolod::tests {
namespace {

const std::string kDetector =
    "[net]\nwidth=8\nheight=8\n[convolutional]\nbatch_normalize=1\nfilters=4\nsize=3\nstride=2\npad=1\n"
    "activation=leaky\n[convolutional]\nfilters=6\nactivation=linear\n[yolo]\nclasses=1\nnum=1\nanchors=2,3\n";

}  // namespace

TEST_CASE("Yolodctl: info counts layers, parameters and operations", "[e2e]") {
  const TemporaryDirectory folder;
  const auto cfg = folder.write("a.cfg", kDetector).string();
  const auto result = run_program({"yolodctl", "info", "--cfg", cfg, "--json"});
  CAPTURE(result.errors);
  REQUIRE(result.exit == exited(0));
  const auto value = boost::json::parse(result.output);
  CHECK(value.at("task") == "detect");
  CHECK(value.at("candidates") == 16);
  // 3 * 9 * 4 weights and four for each filter; 4 * 6 weights and a bias each.
  CHECK(value.at("parameters") == 108 + 16 + 24 + 6);
  CHECK(value.at("bflops").to_number<double>() == Approx(2e-9 * (108 + 24) * 16));
  const auto& first = value.at("layers").at(0);
  CHECK(first.at("type") == "convolutional");
  CHECK(first.at("output") == boost::json::array{4, 4, 4});
  CHECK(value.at("layers").as_array().size() == 3);

  const auto table = run_program({"yolodctl", "info", "--cfg", cfg});
  CHECK(table.exit == exited(0));
  CHECK_THAT(table.output, Catch::Contains("3 x 3 / 2") && Catch::Contains("a detector of 1 class, 16 candidates"));
}

TEST_CASE("Yolodctl: info says why a network is refused, and checks weights that are given", "[e2e]") {
  const TemporaryDirectory folder;
  const auto refused =
      run_program({"yolodctl", "info", "--cfg", folder.write("r.cfg", "[net]\nwidth=8\nheight=8\n[lstm]\n")});
  CHECK(refused.exit == exited(1));
  CHECK_THAT(refused.errors, Catch::Contains("r.cfg:4: [lstm]: recurrent networks are not supported"));
  const auto cfg = folder.write("a.cfg", kDetector).string();
  const auto wrong =
      run_program({"yolodctl", "info", "--cfg", cfg, "--weights", folder.write("a.weights", std::string(20, '\0'))});
  CHECK(wrong.exit == exited(1));
  CHECK_THAT(wrong.errors, Catch::Contains("too few"));
}

}  // namespace yolod::tests
