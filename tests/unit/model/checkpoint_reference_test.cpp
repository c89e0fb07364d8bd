// Checkpoints that PyTorch wrote, and what PyTorch makes of them: tests/support/make_checkpoints.py.
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "model/load_network.hpp"
#include "model/npy.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"

using namespace yolod;
using Catch::Matchers::Contains;

namespace {

constexpr const char* kPython = "/usr/bin/python3";

// Whether Debian's python3-torch is there; says so where it is not.
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

common::Outcome<model::LoadedNetwork> load_checkpoint(const std::filesystem::path& folder, const char* file) {
  common::ModelConfig config;
  config.name = "m";
  config.source = common::DarknetSource{folder / "net.cfg", folder / file, ""};
  config.precision = common::Precision::kFp32;
  return model::load_network(config, {});
}

std::vector<float> values_in(const std::filesystem::path& file) {
  auto array = model::read_npy(file);
  REQUIRE(array.ok());
  return std::move(array).value().values;
}

// How far the network is from PyTorch, in units of 1e-3 + 1e-4 |b|.
double distance_from_pytorch(const std::filesystem::path& folder, const char* file) {
  const auto loaded = load_checkpoint(folder, file);
  INFO((loaded ? std::string() : loaded.error().message));
  REQUIRE(loaded.ok());
  auto& network = *loaded.value().network;
  const auto& shape = network.shape();
  const auto input = values_in(folder / "input.npy");
  const auto room = network.input(1);
  REQUIRE(room.ok());
  const auto pixels = shape.height * shape.width;
  REQUIRE(input.size() == 3 * pixels);
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < 3; ++c) (*room)[i * 3 + c] = input[c * pixels + i];
  }
  const auto head = network.forward();
  REQUIRE(head.ok());
  const auto expected = values_in(folder / "expected.npy");
  REQUIRE(head->values.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double off = std::abs(static_cast<double>(head->values[i]) - static_cast<double>(expected[i])) /
                       (1e-3 + 1e-4 * std::abs(static_cast<double>(expected[i])));
    if (!(off <= worst)) worst = off;
  }
  return worst;
}

}  // namespace

TEST_CASE("Checkpoint: networks of PyTorch give PyTorch's output, from both formats", "[model][unit]") {
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
  CHECK_THAT(load_checkpoint(tiny, "module.pt").error().message,
             Contains("module.pt: it needs the Python object torch.nn.modules.container.Sequential"));
  CHECK_THAT(load_checkpoint(tiny, "../spp/net.pt").error().message,
             Contains("does not fit") && Contains("tiny/net.cfg"));
}
