#include "model/darknet/compiler.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/model/network_builder.hpp"

using namespace yolod::model;
using Catch::Matchers::Contains;

namespace {

// Compiles `layers` with weights of the right sizes, all 0.
CompiledNetwork compile(const std::string& layers) {
  const auto network = yolod::tests::build(yolod::tests::detector_cfg(layers));
  REQUIRE(network.ok());
  darknet::Weights weights;
  weights.layers.resize(network->layers.size());
  for (std::size_t i = 0; i < network->layers.size(); ++i) {
    const auto* convolution = std::get_if<darknet::Convolutional>(&network->layers[i].kind);
    if (convolution == nullptr) continue;
    weights.layers[i].biases.resize(static_cast<std::size_t>(convolution->filters));
  }
  return darknet::compile(*network, std::move(weights));
}

}  // namespace

TEST_CASE("Compiler: the module has one method, and its parameters are named by layer", "[model][unit]") {
  const auto compiled = compile("[convolutional]\nfilters=4\nsize=3\nstride=2\npad=1\nactivation=leaky\n");
  CHECK_THAT(compiled.source, Contains("def forward(self, x: Tensor) -> Tensor:\n"));
  CHECK_THAT(
      compiled.source,
      Contains(
          "  x0 = torch.conv2d(x, self.w0, self.b0, [2, 2], [1, 1], [1, 1], 1)\n  x0 = torch.leaky_relu_(x0, 0.1)\n"));
  CHECK_THAT(compiled.source, Contains("  return torch.cat([h2], 1)\n"));
  CHECK(compiled.candidates == 16);
  CHECK(compiled.classes == 1);
  REQUIRE(compiled.parameters.size() == 7);
  CHECK(compiled.parameters[0].name == "w0");
  CHECK(compiled.parameters[0].shape == std::vector<std::int64_t>{4, 3, 3, 3});
  CHECK(compiled.parameters[0].follows_precision);
  // Box decoding stays in float for every precision of the network.
  CHECK(compiled.parameters[4].name == "grid2");
  CHECK_FALSE(compiled.parameters[4].follows_precision);
}

TEST_CASE("Compiler: max-pooling has a padding operator only where torch's pooling cannot pad", "[model][unit]") {
  CHECK_THAT(compile("[maxpool]\nsize=2\nstride=2\n").source, Contains("torch.max_pool2d(x, [2, 2], [2, 2], [0, 0])"));
  CHECK_THAT(compile("[maxpool]\nsize=5\nstride=1\n").source, Contains("torch.max_pool2d(x, [5, 5], [1, 1], [2, 2])"));
  CHECK_THAT(compile("[maxpool]\nsize=2\nstride=1\n").source,
             Contains("torch.constant_pad_nd(x, [0, 1, 0, 1], float(\"-inf\"))"));
}

// The fuzzer found a cfg of 12 kB for which the compiler allocated 2 GB, because each such layer had a table for its
// whole map.
TEST_CASE("Compiler: the memory of a local average pool grows with the sides of the map, not with its area",
          "[model][unit]") {
  const auto compiled = compile("[upsample]\nstride=8\n[upsample]\nstride=8\n[local_avgpool]\nsize=2\nstride=1\n");
  const auto values_of = [&](const std::string& name) {
    for (const auto& parameter : compiled.parameters) {
      if (parameter.name == name) return parameter.values;
    }
    return std::vector<float>();
  };
  const auto rows = values_of("r2");
  const auto columns = values_of("c2");
  REQUIRE(rows.size() == 512);
  REQUIRE(columns.size() == 512);
  CHECK(rows.front() * columns.front() == 1);
  CHECK(rows.back() * columns.back() == 4);  // the other three places are padding
}

TEST_CASE("Compiler: the grid holds scaled cell corners, x before y", "[model][unit]") {
  const auto compiled = compile("[maxpool]\nsize=4\nstride=4\npadding=0\n");  // 2 x 2 cells of 4 pixels
  const auto& grid = compiled.parameters[2];
  REQUIRE(grid.name == "grid2");
  CHECK(grid.values == std::vector<float>{0, 0, 4, 0, 0, 4, 4, 4});
  CHECK(compiled.parameters[3].values == std::vector<float>{4, 4});
  CHECK(compiled.parameters[4].values == std::vector<float>{2, 3});
}
