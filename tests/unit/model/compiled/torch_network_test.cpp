#include "model/compiled/torch_network.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "model/darknet/compiler.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/model/network_builder.hpp"

using namespace yolod;
using Catch::Matchers::Contains;

namespace {

using Map = std::vector<float>;  // one channel, row by row

// Runs `layers` on a 4 x 4 input of three channels and returns channel `channel` of their output. A final
// convolution passes that channel as the objectness to a new_coords head, which does not change the objectness.
// Convolutions among `layers` take their weights from `weights`, in order. All other weights are 0.
Map run(const std::string& layers, const std::vector<Map>& weights, const std::vector<Map>& input, int channel = 0,
        common::Precision precision = common::Precision::kFp32) {
  const auto network = tests::build("[net]\nwidth=4\nheight=4\n" + layers +
                                    "\n[convolutional]\nfilters=6\nactivation=linear\n"
                                    "[yolo]\nclasses=1\nnum=1\nanchors=1,1\nnew_coords=1\n");
  INFO((network ? std::string() : network.error().message));
  REQUIRE(network.ok());
  model::darknet::Weights all;
  all.layers.resize(network->layers.size());
  std::size_t given = 0;
  for (std::size_t i = 0; i < network->layers.size(); ++i) {
    const auto* convolution = std::get_if<model::darknet::Convolutional>(&network->layers[i].kind);
    if (convolution == nullptr) continue;
    const auto filters = static_cast<std::size_t>(convolution->filters);
    const auto inputs = static_cast<std::size_t>(network->layers[i].input.channels / convolution->groups);
    auto& own = all.layers[i];
    own.biases.resize(filters);
    own.weights.resize(filters * inputs * static_cast<std::size_t>(convolution->size * convolution->size));
    if (i + 2 == network->layers.size()) {
      own.weights.at(4 * inputs + static_cast<std::size_t>(channel)) = 1;
    } else {
      own.weights = weights.at(given++);
    }
  }
  auto loaded = model::TorchNetwork::load(model::darknet::compile(*network, std::move(all)), precision, 1);
  INFO((loaded ? std::string() : loaded.error().message));
  REQUIRE(loaded.ok());
  const auto own_input = (*loaded)->new_input(1);
  REQUIRE(own_input.ok());
  const auto room = (*own_input)->values();
  for (std::size_t i = 0; i < 16; ++i) {
    for (std::size_t c = 0; c < 3; ++c) room[3 * i + c] = input[c][i];
  }
  const auto head = (*loaded)->forward(**own_input, 1, {});
  INFO((head ? std::string() : head.error().message));
  REQUIRE(head.ok());
  Map result;
  for (std::size_t i = 0; i < head->sides[1]; ++i) result.push_back(head->values[i * head->sides[2] + 4]);
  return result;
}

std::vector<Map> counting_input() {
  std::vector<Map> input(3, Map(16));
  for (std::size_t i = 0; i < 16; ++i) {
    input[0][i] = static_cast<float>(i);
    input[1][i] = -static_cast<float>(i) - 1;
    input[2][i] = 100;
  }
  return input;
}

// A 1 x 1 convolution with one filter, which returns channel 0.
const std::string kPick = "[convolutional]\nfilters=1\nactivation=linear\n";
const Map kPickWeights{1, 0, 0};

void check_equal(const Map& actual, const Map& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    INFO("value " << i);
    CHECK(actual[i] == Approx(expected[i]).margin(1e-6));
  }
}

}  // namespace

TEST_CASE("TorchNetwork: even-sized max-pooling without stride pads on the far side", "[model][unit]") {
  check_equal(run("[maxpool]\nsize=2\nstride=1\n", {}, counting_input()),
              {5, 6, 7, 7, 9, 10, 11, 11, 13, 14, 15, 15, 13, 14, 15, 15});
  // The padding is minus infinity, not 0, so a negative value is still the maximum of its window.
  check_equal(run("[maxpool]\nsize=2\nstride=1\n", {}, counting_input(), 1),
              {-1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11, -12, -13, -14, -15, -16});
}

TEST_CASE("TorchNetwork: max-pooling with a stride returns the maximum of each window", "[model][unit]") {
  check_equal(run("[maxpool]\nsize=2\nstride=2\n", {}, counting_input()), {5, 7, 13, 15});
  check_equal(run("[maxpool]\nsize=3\nstride=2\n", {}, counting_input()), {5, 7, 13, 15});
  check_equal(run("[maxpool]\nsize=3\nstride=1\n", {}, counting_input()),
              {5, 6, 7, 7, 9, 10, 11, 11, 13, 14, 15, 15, 13, 14, 15, 15});
  check_equal(run("[maxpool]\nsize=3\nstride=3\n", {}, counting_input()), {5, 7, 13, 15});
  check_equal(run("[maxpool]\nsize=3\nstride=2\npadding=0\n", {}, counting_input()), {10});
}

TEST_CASE("TorchNetwork: an even-sized padded convolution is padded as in Darknet", "[model][unit]") {
  // The only filter returns the upper left value of its window, so the map moves right and down by one.
  const auto result = run("[convolutional]\nfilters=1\nsize=2\npad=1\nactivation=linear\n",
                          {{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}, counting_input());
  REQUIRE(result.size() == 25);
  CHECK(result[0] == 0);
  CHECK(result[6] == 0);
  CHECK(result[7] == 1);
  CHECK(result[24] == 15);
}

TEST_CASE("TorchNetwork: strides of a convolution may differ", "[model][unit]") {
  check_equal(
      run("[convolutional]\nfilters=1\nstride_x=2\nstride_y=1\nactivation=linear\n", {kPickWeights}, counting_input()),
      {0, 2, 4, 6, 8, 10, 12, 14});
}

TEST_CASE("TorchNetwork: grouped convolutions compute each group separately", "[model][unit]") {
  check_equal(run("[convolutional]\nfilters=3\ngroups=3\nactivation=linear\n", {{1, 2, 3}}, counting_input(), 1),
              {-2, -4, -6, -8, -10, -12, -14, -16, -18, -20, -22, -24, -26, -28, -30, -32});
}

TEST_CASE("TorchNetwork: routes join layers and select groups of channels", "[model][unit]") {
  const std::string two = "[convolutional]\nfilters=2\nactivation=linear\n";
  const Map weights{1, 0, 0, 0, 0, 1};  // channel 0, channel 2
  CHECK(run(two + "[route]\nlayers=-1\ngroups=2\ngroup_id=1\n", {weights}, counting_input())[3] == 100);
  CHECK(run(two + kPick + "[route]\nlayers=-1,0\n", {weights, {2, 0}}, counting_input(), 0)[3] == 6);
  CHECK(run(two + kPick + "[route]\nlayers=-1,0\n", {weights, {2, 0}}, counting_input(), 2)[3] == 100);
}

TEST_CASE("TorchNetwork: shortcuts add the channels that both layers have", "[model][unit]") {
  const std::string two = "[convolutional]\nfilters=2\nactivation=linear\n";
  const Map weights{1, 0, 0, 0, 0, 1};
  // Both maps have the same number of channels.
  CHECK(run(kPick + kPick + "[shortcut]\nfrom=-2\n", {kPickWeights, {3}}, counting_input())[5] == 20);
  // The shortcut adds one channel to the first of two, and then the first of two channels to one.
  CHECK(run(kPick + "[route]\nlayers=0\n" + two + "[shortcut]\nfrom=0\n", {kPickWeights, {1, 1}}, counting_input(),
            0)[5] == 10);
  CHECK(run(kPick + "[route]\nlayers=0\n" + two + "[shortcut]\nfrom=0\n", {kPickWeights, {1, 1}}, counting_input(),
            1)[5] == 5);
  CHECK(run(two + kPick + "[shortcut]\nfrom=0\n", {weights, {1, 0}}, counting_input())[5] == 10);
  // The shortcut adds several layers, and its activation follows the sum.
  CHECK(run(kPick + kPick + "[shortcut]\nfrom=-2,-1\nactivation=leaky\n", {kPickWeights, {-3}}, counting_input())[5] ==
        Approx(-2.5));
}

TEST_CASE("TorchNetwork: a convolution's activation comes before the sum, the shortcut's activation after it",
          "[model][unit]") {
  const std::string pick = "[convolutional]\nfilters=1\nactivation=leaky\n";
  const auto run_on = [&](float second) {
    return run(pick + pick + "[shortcut]\nfrom=-2\nactivation=leaky\n", {{0, 1, 0}, {second}}, counting_input())[5];
  };
  // Channel 1 is -6 there, and the first convolution's activation makes it -0.6.
  CHECK(run_on(2) == Approx(0.1 * (-0.6 - 0.12)));
  CHECK(run_on(-2) == Approx(-0.6 + 1.2));
}

TEST_CASE("TorchNetwork: upsampling repeats pixels and scales them", "[model][unit]") {
  check_equal(run("[maxpool]\nsize=2\nstride=2\n[upsample]\nstride=2\nscale=0.5\n", {}, counting_input()),
              {2.5F, 2.5F, 3.5F, 3.5F, 2.5F, 2.5F, 3.5F, 3.5F, 6.5F, 6.5F, 7.5F, 7.5F, 6.5F, 6.5F, 7.5F, 7.5F});
}

TEST_CASE("TorchNetwork: average pooling and scaled channels give the expected values", "[model][unit]") {
  check_equal(run("[avgpool]\n", {}, counting_input()), {7.5F});
  const auto scaled = run(kPick + "[avgpool]\n[scale_channels]\nfrom=-2\n", {kPickWeights}, counting_input());
  CHECK(scaled[2] == Approx(15));
  CHECK(scaled[15] == Approx(112.5));
}

TEST_CASE("TorchNetwork: dropout does nothing", "[model][unit]") {
  CHECK(run(kPick + "[dropout]\n", {kPickWeights}, counting_input())[7] == 7);
}

TEST_CASE("TorchNetwork: activations compute Darknet's functions", "[model][unit]") {
  const auto input =
      std::vector<Map>{{-30, -8, -4, -2.5F, -2, -1.5F, -1, -0.5F, 0, 0.25F, 0.5F, 1, 2, 4, 8, 30}, Map(16), Map(16)};
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const std::vector<std::pair<std::string, std::function<double(double)>>> known{
      {"linear", [](double x) { return x; }},
      {"leaky", [](double x) { return x > 0 ? x : 0.1 * x; }},
      {"relu", [](double x) { return std::max(0.0, x); }},
      {"relu6", [](double x) { return std::min(6.0, std::max(0.0, x)); }},
      {"relie", [](double x) { return x > 0 ? x : 0.01 * x; }},
      {"ramp", [](double x) { return std::max(0.0, x) + 0.1 * x; }},
      {"elu", [](double x) { return x >= 0 ? x : std::exp(x) - 1; }},
      {"selu", [](double x) { return x >= 0 ? 1.0507 * x : 1.0507 * 1.6732 * (std::exp(x) - 1); }},
      {"gelu", [](double x) { return 0.5 * x * (1 + std::tanh(0.797885 * x + 0.035677 * x * x * x)); }},
      {"logistic", sigmoid},
      {"loggy", [&](double x) { return 2 * sigmoid(x) - 1; }},
      {"tanh", [](double x) { return std::tanh(x); }},
      {"hardtan", [](double x) { return std::min(1.0, std::max(-1.0, x)); }},
      {"swish", [&](double x) { return x * sigmoid(x); }},
      {"mish", [](double x) { return x * std::tanh(std::log1p(std::exp(x))); }},
      {"hard_mish", [](double x) { return x > 0    ? x
                                          : x > -2 ? x * x / 2 + x
                                                   : 0; }},
  };
  for (const auto& [name, formula] : known) {
    INFO(name);
    const auto result = run("[convolutional]\nfilters=1\nactivation=" + name + "\n", {kPickWeights}, input);
    for (std::size_t i = 0; i < result.size(); ++i) {
      INFO("at " << input[0][i]);
      CHECK(static_cast<double>(result[i]) ==
            Approx(formula(static_cast<double>(input[0][i]))).epsilon(1e-4).margin(1e-4));
    }
  }
}

TEST_CASE("TorchNetwork: bf16 is near fp32", "[model][unit][skips]") {
  if (!tests::processor_has_bf16()) {
    WARN("SKIPPED: this processor has no bf16");
    return;
  }
  const auto exact = run(kPick + "[maxpool]\nsize=2\nstride=1\n", {{0.3F, 0.1F, 0.01F}}, counting_input());
  const auto rough = run(kPick + "[maxpool]\nsize=2\nstride=1\n", {{0.3F, 0.1F, 0.01F}}, counting_input(), 0,
                         common::Precision::kBf16);
  for (std::size_t i = 0; i < exact.size(); ++i) CHECK(rough[i] == Approx(exact[i]).epsilon(0.02).margin(0.02));
}

TEST_CASE("TorchNetwork: images of a batch do not mix", "[model][unit]") {
  const auto network = tests::build(tests::detector_cfg(""));
  REQUIRE(network.ok());
  model::darknet::Weights weights;
  weights.layers.resize(2);
  weights.layers[0].biases.resize(6);
  weights.layers[0].weights.resize(18);
  weights.layers[0].weights[4 * 3] = 1;
  auto loaded =
      model::TorchNetwork::load(model::darknet::compile(*network, std::move(weights)), common::Precision::kFp32, 1);
  REQUIRE(loaded.ok());
  for (const std::size_t images : {std::size_t{1}, std::size_t{3}, std::size_t{2}}) {
    const auto own_input = (*loaded)->new_input(images);
    REQUIRE(own_input.ok());
    const auto room = (*own_input)->values();
    REQUIRE(room.size() == images * (*loaded)->shape().input_count());
    for (std::size_t i = 0; i < room.size(); ++i) room[i] = static_cast<float>(i / (*loaded)->shape().input_count());
    const auto head = (*loaded)->forward(**own_input, images, {});
    REQUIRE(head.ok());
    CHECK(head->images() == images);
    for (std::size_t image = 0; image < images; ++image) {
      const double expected = 1 / (1 + std::exp(-static_cast<double>(image)));
      CHECK(head->image(image)[4] == Approx(expected));
    }
  }
}

TEST_CASE("TorchNetwork: source code that LibTorch refuses is an error of one line", "[model][unit]") {
  model::CompiledNetwork broken;
  broken.source = "def forward(self, x: Tensor) -> Tensor:\n  return torch.no_such_function(x)\n";
  const auto loaded = model::TorchNetwork::load(broken, common::Precision::kFp32, 1);
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().code == common::ErrorCode::kBadModel);
  CHECK(loaded.error().message.find('\n') == std::string::npos);
}
