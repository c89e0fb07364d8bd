// Compares the convolutions of model/onednn with LibTorch's.
#include <ATen/ATen.h>

#include <array>
#include <catch2/catch.hpp>
#include <utility>

#include "model/torch/onednn/convolution.hpp"

namespace {

using yolod::model::onednn::Convolution;
using yolod::model::onednn::ConvolutionSettings;
using yolod::model::onednn::Elementwise;

at::Tensor noise(at::IntArrayRef shape) { return at::randn(shape).contiguous(at::MemoryFormat::ChannelsLast); }

ConvolutionSettings padded_leaky() {
  ConvolutionSettings settings;
  settings.padding = {1, 1};
  settings.activations = {{dnnl::algorithm::eltwise_relu, 0.1F}};
  return settings;
}

// Returns the largest difference, relative to the largest value.
double difference(const at::Tensor& actual, const at::Tensor& expected) {
  REQUIRE(actual.sizes() == expected.sizes());
  return ((actual - expected).abs().max() / expected.abs().max()).item<double>();
}

constexpr double kRounding = 2e-5;

}  // namespace

TEST_CASE("Convolution: a 3 x 3 convolution equals LibTorch's at every size", "[model][unit]") {
  at::manual_seed(1);
  const auto weight = at::randn({48, 32, 3, 3});
  const auto bias = at::randn({48});
  Convolution convolution(weight, bias, padded_leaky());
  // Large inputs use Winograd's method if the processor supports it, small inputs never use it. Both share the
  // weights.
  const std::array<std::array<std::int64_t, 3>, 6> shapes{
      {{1, 40, 40}, {1, 5, 7}, {2, 33, 37}, {1, 18, 18}, {1, 17, 19}, {1, 40, 40}}};
  for (const auto& [images, height, width] : shapes) {
    CAPTURE(images, height, width);
    const auto input = noise({images, 32, height, width});
    const auto expected = at::leaky_relu(at::conv2d(input, weight, bias, 1, 1), 0.1);
    CHECK(difference(convolution.run(input, nullptr), expected) < kRounding);
  }
}

TEST_CASE("Convolution: activations before and after a sum keep their order", "[model][unit]") {
  at::manual_seed(2);
  const auto weight = at::randn({16, 16, 3, 3});
  auto settings = padded_leaky();
  settings.adds = true;
  settings.activations_of_sum = {{dnnl::algorithm::eltwise_relu}};
  Convolution convolution(weight, at::Tensor(), settings);
  for (const std::int64_t side : {6, 24}) {
    CAPTURE(side);
    const auto input = noise({1, 16, side, side});
    const auto addend = noise({1, 16, side, side});
    const auto expected = at::relu(at::leaky_relu(at::conv2d(input, weight, {}, 1, 1), 0.1) + addend);
    CHECK(difference(convolution.run(input, &addend), expected) < kRounding);
  }
}

TEST_CASE("Convolution: two activations in a row give LibTorch's result", "[model][unit]") {
  at::manual_seed(4);
  struct Activation {
    const char* name;
    Elementwise step;
    at::Tensor (*expected)(const at::Tensor&);
  };
  using dnnl::algorithm;
  static const std::array<Activation, 7> kActivations{{
      {"relu", {algorithm::eltwise_relu}, [](const at::Tensor& x) { return at::relu(x); }},
      {"leaky", {algorithm::eltwise_relu, 0.1F}, [](const at::Tensor& x) { return at::leaky_relu(x, 0.1); }},
      {"sigmoid", {algorithm::eltwise_logistic}, [](const at::Tensor& x) { return at::sigmoid(x); }},
      {"tanh", {algorithm::eltwise_tanh}, [](const at::Tensor& x) { return at::tanh(x); }},
      {"silu", {algorithm::eltwise_swish, 1}, [](const at::Tensor& x) { return at::silu(x); }},
      {"mish", {algorithm::eltwise_mish}, [](const at::Tensor& x) { return at::mish(x); }},
      {"relu6", {algorithm::eltwise_clip, 0, 6}, [](const at::Tensor& x) { return at::clamp(x, 0, 6); }},
  }};
  const auto weight = at::randn({16, 16, 3, 3});
  for (const auto& first : kActivations) {
    for (const auto& second : kActivations) {
      for (const std::int64_t side : {6, 24}) {
        CAPTURE(first.name, second.name, side);
        ConvolutionSettings settings;
        settings.padding = {1, 1};
        settings.activations = {first.step, second.step};
        const auto input = noise({1, 16, side, side});
        const auto expected = second.expected(first.expected(at::conv2d(input, weight, {}, 1, 1)));
        CHECK(difference(Convolution(weight, at::Tensor(), settings).run(input, nullptr), expected) < kRounding);
      }
    }
  }
}

TEST_CASE("Convolution: strides, dilation, groups and any number of channels give LibTorch's result", "[model][unit]") {
  at::manual_seed(3);
  const auto check = [](std::int64_t channels, std::int64_t filters, const ConvolutionSettings& settings) {
    const auto weight = at::randn({filters, channels / settings.groups, 3, 3});
    const auto input = noise({1, channels, 30, 31});
    const auto expected =
        at::conv2d(input, weight, {}, settings.stride, settings.padding, settings.dilation, settings.groups);
    CHECK(difference(Convolution(weight, at::Tensor(), settings).run(input, nullptr), expected) < kRounding);
  };
  ConvolutionSettings settings;
  settings.padding = {1, 1};
  check(3, 16, settings);
  check(16, 20, settings);
  settings.stride = {2, 1};
  check(16, 16, settings);
  settings.stride = {1, 1};
  settings.dilation = {2, 2};
  check(16, 16, settings);
  settings.dilation = {1, 1};
  settings.groups = 2;
  check(32, 32, settings);
}
