// Compares the output for checkpoints that PyTorch wrote with PyTorch's output. tests/support/make_checkpoints.py
// makes the files.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "model/load/load_network.hpp"
#include "model/rules/loaded_network.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/model/raw_head.hpp"

using namespace yolod;
using Catch::Matchers::Contains;

namespace {

constexpr const char* kPython = "/usr/bin/python3";

// Returns whether Debian's python3-torch is installed. If it is missing, the function prints a warning.
bool has_pytorch() {
  if (tests::run_program({kPython, "-c", "import torch"}).exit == tests::exited(0)) return true;
  WARN("SKIPPED: no PyTorch: install python3-torch");
  return false;
}

void make_checkpoints(const tests::TemporaryDirectory& folder) {
  const auto script = tests::source_directory() / "tests" / "support" / "make_checkpoints.py";
  const auto made = tests::run_program({kPython, script.string(), folder.path().string()});
  INFO(made.errors);
  REQUIRE(made.exit == tests::exited(0));
}

common::ModelConfig config_of(const std::filesystem::path& folder, const char* file) {
  common::ModelConfig config;
  config.name = "m";
  config.source = common::DarknetSource{folder / "net.cfg", folder / file, ""};
  config.precision = common::Precision::kFp32;
  return config;
}

common::Outcome<model::LoadedNetwork> load_checkpoint(const std::filesystem::path& folder, const char* file) {
  return model::load_network(config_of(folder, file), {});
}

double distance_from_pytorch(const std::filesystem::path& folder, const char* file) {
  const auto loaded = load_checkpoint(folder, file);
  INFO((loaded ? std::string() : loaded.error().message));
  REQUIRE(loaded.ok());
  return tests::distance(tests::run_on_file(*loaded.value().network, folder / "input.npy"),
                         tests::values_in(folder / "expected.npy"));
}

}  // namespace

TEST_CASE("Checkpoint: networks saved by PyTorch give PyTorch's output, from both file formats",
          "[model][unit][skips]") {
  if (!has_pytorch()) return;
  const tests::TemporaryDirectory folder;
  make_checkpoints(folder);
  for (const auto* name : {"tiny", "spp", "batchnorm", "mixed", "fusion", "pan"}) {
    for (const auto* file : {"net.pt", "legacy.pt"}) {
      CAPTURE(name, file);
      CHECK(distance_from_pytorch(folder.path() / name, file) < 1);
    }
  }

  const auto tiny = folder.path() / "tiny";
  const auto half = load_checkpoint(tiny, "half.pt");
  INFO((half ? std::string() : half.error().message));
  CHECK(half.ok());
  CHECK(half.value().rules.fit == model::image::Fit::kLetterbox);
  CHECK(half.value().rules.sampling == model::image::Sampling::kCentersAligned);
  CHECK(rounding_of(half.value().rules) == model::image::Rounding::kHalfToEven);
  CHECK_THAT(load_checkpoint(tiny, "module.pt").error().message,
             Contains("module.pt: it needs the Python object torch.nn.modules.container.Sequential"));
  CHECK_THAT(load_checkpoint(tiny, "../spp/net.pt").error().message,
             Contains("does not fit") && Contains("tiny/net.cfg"));
}

TEST_CASE("Checkpoint: with augmentation the candidates equal PyTorch's for two pictures that are not square",
          "[model][unit][skips]") {
  if (!has_pytorch()) return;
  const tests::TemporaryDirectory folder;
  make_checkpoints(folder);
  for (const auto* name : {"tiny", "spp", "batchnorm", "mixed", "fusion", "pan"}) {
    CAPTURE(name);
    auto config = config_of(folder.path() / name, "net.pt");
    config.input_size = common::InputSize{160, 352};
    config.detect.augment = true;
    const auto loaded = model::load_network(config, {});
    INFO((loaded ? std::string() : loaded.error().message));
    REQUIRE(loaded.ok());
    auto& network = *loaded.value().network;
    const auto expected = tests::values_in(folder.path() / name / "wide-augmented.npy");
    CHECK(network.shape().candidates * network.shape().row_length() * 2 == expected.size());
    CHECK(tests::distance(tests::run_on_file(network, folder.path() / name / "wide-input.npy"), expected) < 1);
  }
}
