// yolodctl info describes a network without its weights, and a TorchScript file with the source of each fact.
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/run_program.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/torchscript_files.hpp"

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
  // The first layer has 3 * 9 * 4 weights and four numbers for each filter. The second has 4 * 6 weights and a bias
  // for each filter.
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

TEST_CASE("Yolodctl: commands cope with a closed output, an ignored SIGCHLD and a -- before the pictures", "[e2e]") {
  const TemporaryDirectory folder;
  const auto cfg = folder.write("a.cfg", kDetector).string();
  const auto yolodctl = (binary_directory() / "yolodctl").string();
  const auto cut = run_program({"/bin/bash", "-c", yolodctl + " info --cfg " + cfg + " | true; exit ${PIPESTATUS[0]}"});
  CAPTURE(cut.errors);
  CHECK(cut.exit == exited(128 + SIGPIPE));
  CHECK(cut.errors.empty());
  const auto childless = run_program({"/bin/bash", "-c", "trap '' CHLD; exec " + yolodctl + " info --cfg " + cfg});
  CAPTURE(childless.errors);
  CHECK(childless.exit == exited(0));
  const auto ended = run_program({"yolodctl", "predict", "--cfg=" + cfg, "--weights=/absent", "--", "a.jpg"});
  CHECK(ended.exit == exited(1));
  CHECK_THAT(ended.errors, Catch::Contains("/absent: "));
}

TEST_CASE("Yolodctl: info gives the reason why a network is refused, and checks given weights", "[e2e]") {
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

TEST_CASE("Yolodctl: info warns about ignored parts of a cfg, and names what cannot be served", "[e2e]") {
  const TemporaryDirectory folder;
  const auto cfg = folder.write("w.cfg", kDetector + "clases=2\nTraining\n").string();
  const auto warned = run_program({"yolodctl", "info", "--cfg", cfg, "--json"});
  CHECK(warned.exit == exited(0));
  CHECK(boost::json::parse(warned.output).at("classes") == 1);
  CHECK(warned.errors == "yolodctl: warning: " + cfg +
                             ":19: [yolo]: \"Training\" is neither [section] nor key=value and is passed over\n"
                             "yolodctl: warning: " +
                             cfg + ":18: [yolo]: clases is not known and is passed over, did you mean classes?\n");
  const auto info = [&](int channels) {
    const auto text = "[net]\nwidth=32\nheight=32\nchannels=" + std::to_string(channels) +
                      "\n[convolutional]\nfilters=3\nactivation=linear\n[avgpool]\n[softmax]\n";
    return run_program({"yolodctl", "info", "--cfg", folder.write("c.cfg", text), "--json"});
  };
  const auto grey = info(1);
  CHECK(grey.exit == exited(0));
  CHECK(boost::json::parse(grey.output).at("input") == boost::json::array{1, 32, 32});
  const auto other = info(4);
  CHECK(other.exit == exited(1));
  CHECK_THAT(other.errors, Catch::EndsWith("c.cfg: the network takes 4 channels; networks for pictures take 3, or 1 "
                                           "for grey pictures\n"));
}

TEST_CASE("Yolodctl: info describes a TorchScript file, and names the source of each fact", "[e2e][torch]") {
  if (const auto reason = reason_to_skip_torchscript(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  const auto files = torchscript_files({"cuda", "tiny_probabilities", "pair", "deep"});
  const auto info = [&](const std::string& name, std::vector<std::string> more = {"--json"}) {
    std::vector<std::string> arguments{"yolodctl", "info", "--torchscript", (files / name).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(std::move(arguments));
  };
  const auto facts = [&](const std::string& name, std::vector<std::string> more = {"--json"}) {
    const auto result = info(name, std::move(more));
    CAPTURE(result.errors);
    REQUIRE(result.exit == exited(0));
    return boost::json::parse(result.output);
  };

  const auto detector = facts("cuda.pt");
  CHECK(detector.at("task") == "detect");
  CHECK(detector.at("traced_on") == "cuda:0");
  CHECK(detector.at("parameters") == 1);
  CHECK(detector.at("precision") == "fp32");
  CHECK(detector.at("stride") == 8);
  CHECK(detector.at("input") == boost::json::array{3, 32, 32});
  CHECK(detector.at("names") == boost::json::array{"stop", "go"});
  CHECK(detector.at("output") == "yolov5");
  CHECK(detector.at("candidates") == 16);
  const auto& from = detector.at("from");
  CHECK(from.at("task") == "file");
  CHECK(from.at("input") == "file");
  CHECK(from.at("output") == "guess");
  CHECK(from.at("resize") == "default");
  CHECK(facts("cuda.pt", {"--json", "--size", "32"}).at("from").at("input") == "config");
  const auto table = info("cuda.pt", {});
  CHECK_THAT(table.output, Catch::Contains("found by a run on noise") && Catch::Contains("traced on    cuda:0"));

  const auto classifier = facts("tiny_probabilities.pt");
  CHECK(classifier.at("task") == "classify");
  CHECK(classifier.at("output") == "probabilities");
  CHECK(classifier.at("traced_on").is_null());

  const auto other = facts("pair.pt");
  CHECK(other.at("task").is_null());
  CHECK(other.at("parameters").to_number<int>() > 0);
  CHECK_FALSE(other.at("problem").as_string().empty());

  const auto crashes = info("deep.pt");
  CHECK(crashes.exit == exited(1));
  CHECK_THAT(crashes.errors, Catch::Contains("deep.pt: LibTorch crashed on it"));
  const TemporaryDirectory folder;
  const auto none = info(folder.write("none.pt", "not TorchScript").string());
  CHECK(none.exit == exited(1));
  CHECK_THAT(none.errors, Catch::Contains("none.pt: a text file, not a network: name the network's file"));
}

}  // namespace yolod::tests
