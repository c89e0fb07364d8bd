// Compares the output of each kind of Darknet layer with the loops that define that layer.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "model/compiled/torch_network.hpp"
#include "model/darknet/compiler.hpp"
#include "model/darknet/weights.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/model/network_builder.hpp"

using namespace yolod;
using model::darknet::LayerWeights;

namespace {

// The input has four channels of 4 x 4, as [channel, row, column].
constexpr int kSide = 4;
constexpr int kChannels = 4;
constexpr int kPlaces = kSide * kSide;
const std::string kNet = "[net]\nwidth=4\nheight=4\nchannels=4\n";

// The values differ enough to distinguish every place from every other place.
float input_value(int channel, int row, int column) {
  return static_cast<float>((channel * kPlaces + row * kSide + column) * 29 % 67) / 8.0F - 4.0F;
}

std::vector<float> input_map() {
  std::vector<float> map;
  for (int c = 0; c < kChannels; ++c) {
    for (int i = 0; i < kPlaces; ++i) map.push_back(input_value(c, i / kSide, i % kSide));
  }
  return map;
}

// Returns `count` small weights of both signs that differ from each other.
std::vector<float> made(std::size_t count, float scale = 0.1F) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = scale * (static_cast<float>(i * 37 % 101) - 50) / 50;
  return values;
}

// Returns the head's output for the input. `weights` holds the weights of the layers that have any, in order.
std::vector<float> run_network(const std::string& text, std::vector<LayerWeights> weights,
                               common::Precision precision = common::Precision::kFp32) {
  const auto network = tests::build(text);
  INFO((network ? std::string() : network.error().message));
  REQUIRE(network.ok());
  model::darknet::Weights all;
  all.layers.resize(network->layers.size());
  std::size_t given = 0;
  for (std::size_t i = 0; i < network->layers.size(); ++i) {
    if (model::darknet::weight_count(network->layers[i]) > 0) all.layers[i] = weights.at(given++);
  }
  REQUIRE(given == weights.size());
  auto loaded = model::TorchNetwork::load(model::darknet::compile(*network, std::move(all)), precision, 1);
  INFO((loaded ? std::string() : loaded.error().message));
  REQUIRE(loaded.ok());
  const auto own_input = (*loaded)->new_input(1);
  REQUIRE(own_input.ok());
  const auto room = (*own_input)->values();
  const auto input = input_map();
  for (std::size_t i = 0; i < kPlaces; ++i) {
    for (std::size_t c = 0; c < kChannels; ++c) room[i * kChannels + c] = input[c * kPlaces + i];
  }
  const auto head = (*loaded)->forward(**own_input, 1, {});
  INFO((head ? std::string() : head.error().message));
  REQUIRE(head.ok());
  const auto values = head->image(0);
  return {values.begin(), values.end()};
}

// Returns the map of the last layer of `layers`, as [channel, row, column]. A convolution passes every channel to a
// new_coords head, which does not change its objectness and classes.
std::vector<float> run_layers(const std::string& layers, std::vector<LayerWeights> weights = {},
                              common::Precision precision = common::Precision::kFp32) {
  const std::string probe = "[convolutional]\nfilters=6\nactivation=linear\n[yolo]\nclasses=1\nanchors=1,1\n";
  const auto shaped = tests::build(kNet + layers + "\n" + probe);
  INFO((shaped ? std::string() : shaped.error().message));
  REQUIRE(shaped.ok());
  const auto map = shaped->layers[shaped->layers.size() - 3].output;
  const auto channels = static_cast<std::size_t>(map.channels);
  const auto classes = std::max<std::size_t>(channels - 1, 1);
  LayerWeights pick{std::vector<float>(5 + classes), std::vector<float>((5 + classes) * channels)};
  for (std::size_t c = 0; c < channels; ++c) pick.weights[(4 + c) * channels + c] = 1;
  weights.push_back(std::move(pick));
  const auto head = run_network(
      kNet + layers + "\n[convolutional]\nfilters=" + std::to_string(5 + classes) +
          "\nactivation=linear\n[yolo]\nnew_coords=1\nanchors=1,1\nclasses=" + std::to_string(classes) + "\n",
      std::move(weights), precision);
  std::vector<float> values;
  const auto places = static_cast<std::size_t>(map.height * map.width);
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < places; ++i) values.push_back(head.at(i * (5 + classes) + 4 + c));
  }
  return values;
}

void check_near(const std::vector<float>& actual, const std::vector<float>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    INFO("value " << i);
    CHECK(actual[i] == Approx(expected[i]).epsilon(1e-5).margin(1e-5));
  }
}

bool inside(int row, int column) { return row >= 0 && row < kSide && column >= 0 && column < kSide; }

// Returns the values of channel `c` in a window, without the places outside the map.
std::vector<float> window_values(int c, int top, int left, int size) {
  std::vector<float> values;
  for (int row = top; row < top + size; ++row) {
    for (int column = left; column < left + size; ++column) {
      if (inside(row, column)) values.push_back(input_value(c, row, column));
    }
  }
  return values;
}

float mean_of(const std::vector<float>& values) {
  float sum = 0;
  for (const float value : values) sum += value;
  return sum / static_cast<float>(values.size());
}

// Computes a convolution by its definition, with padding by 0.
std::vector<float> convolve(const std::vector<float>& map, int channels, int side, const LayerWeights& weights,
                            int size, int stride, int padding, int dilation) {
  const int filters = static_cast<int>(weights.biases.size());
  const int out = (side + 2 * padding - dilation * (size - 1) - 1) / stride + 1;
  std::vector<float> result;
  for (int f = 0; f < filters; ++f) {
    for (int i = 0; i < out * out; ++i) {
      float sum = weights.biases[static_cast<std::size_t>(f)];
      for (int c = 0; c < channels; ++c) {
        for (int k = 0; k < size * size; ++k) {
          const int row = i / out * stride - padding + k / size * dilation;
          const int column = i % out * stride - padding + k % size * dilation;
          if (row < 0 || row >= side || column < 0 || column >= side) continue;
          sum += weights.weights[static_cast<std::size_t>((f * channels + c) * size * size + k)] *
                 map[static_cast<std::size_t>((c * side + row) * side + column)];
        }
      }
      result.push_back(sum);
    }
  }
  return result;
}

// Computes Darknet's reorg_cpu(). The smaller map has the sides c, h, w. The other map has c / stride^2, h * stride
// and w * stride.
std::vector<float> reorg_cpu(const std::vector<float>& x, int w, int h, int c, int stride, bool forward) {
  std::vector<float> out(x.size());
  const int in_c = c / (stride * stride);
  for (int k = 0; k < c; ++k) {
    for (int j = 0; j < h; ++j) {
      for (int i = 0; i < w; ++i) {
        const auto small = static_cast<std::size_t>(i + w * (j + h * k));
        const int offset = k / in_c;
        const int w2 = i * stride + offset % stride;
        const int h2 = j * stride + offset / stride;
        const auto large = static_cast<std::size_t>(w2 + w * stride * (h2 + h * stride * (k % in_c)));
        if (forward) {
          out[large] = x[small];
        } else {
          out[small] = x[large];
        }
      }
    }
  }
  return out;
}

float logistic(float x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("Darknet layer: a dilated convolution equals its definition", "[model][unit]") {
  const LayerWeights weights{made(2), made(2 * kChannels * 9)};
  check_near(run_layers("[convolutional]\nfilters=2\nsize=3\npad=1\ndilation=2\nactivation=linear", {weights}),
             convolve(input_map(), kChannels, kSide, weights, 3, 1, 2, 2));
}

TEST_CASE("Darknet layer: a layer with shared weights uses the weights of the other layer", "[model][unit]") {
  const LayerWeights weights{made(4), made(4 * kChannels)};
  const std::string layer = "[convolutional]\nfilters=4\nactivation=linear\n";
  const auto once = convolve(input_map(), kChannels, kSide, weights, 1, 1, 0, 1);
  check_near(run_layers(layer + layer + "share_index=-1\n", {weights}),
             convolve(once, kChannels, kSide, weights, 1, 1, 0, 1));
}

TEST_CASE("Darknet layer: antialiasing blurs instead of striding", "[model][unit]") {
  const LayerWeights weights{made(1), made(kChannels)};
  const auto whole = convolve(input_map(), kChannels, kSide, weights, 1, 1, 0, 1);
  const std::string layer = "[convolutional]\nfilters=1\nstride=2\nactivation=linear\nantialiasing=";
  std::vector<float> third{1, 2, 1, 2, 4, 2, 1, 2, 1};
  for (float& weight : third) weight /= 16;
  check_near(run_layers(layer + "1", {weights}), convolve(whole, 1, kSide, {{0}, third}, 3, 2, 1, 1));
  const std::vector<float> quarter(4, 0.25F);
  check_near(run_layers(layer + "2", {weights}), convolve(whole, 1, kSide, {{0}, quarter}, 2, 2, 0, 1));

  std::vector<float> largest;
  for (int i = 0; i < kPlaces; ++i) {
    const auto values = window_values(0, i / kSide, i % kSide, 2);
    largest.push_back(*std::max_element(values.begin(), values.end()));
  }
  auto pooled = run_layers("[maxpool]\nsize=2\nstride=2\nantialiasing=1");
  pooled.resize(4);  // channel 0
  check_near(pooled, convolve(largest, 1, kSide, {{0}, third}, 3, 2, 1, 1));
}

TEST_CASE("Darknet layer: pooling over depth takes the maximum over groups of channels", "[model][unit]") {
  std::vector<float> expected;
  for (int c = 0; c < 2; ++c) {
    for (int i = 0; i < kPlaces; ++i) {
      expected.push_back(std::max(input_value(c, i / kSide, i % kSide), input_value(c + 2, i / kSide, i % kSide)));
    }
  }
  check_near(run_layers("[maxpool]\nmaxpool_depth=1\nout_channels=2"), expected);
}

TEST_CASE("Darknet layer: local average pooling ignores the padding", "[model][unit]") {
  struct Pool {
    const char* options;
    int size, stride, padding;
  };
  for (const auto& [options, size, stride, padding] :
       {Pool{"size=2\nstride=2\npadding=0", 2, 2, 0}, Pool{"size=3\nstride=1", 3, 1, 2},
        Pool{"size=2\nstride=1", 2, 1, 1}, Pool{"size=3\nstride=2\npadding=0", 3, 2, 0}}) {
    INFO(options);
    const int out = (kSide + padding - size) / stride + 1;
    std::vector<float> expected;
    for (int c = 0; c < kChannels; ++c) {
      for (int i = 0; i < out * out; ++i) {
        expected.push_back(
            mean_of(window_values(c, i / out * stride - padding / 2, i % out * stride - padding / 2, size)));
      }
    }
    check_near(run_layers("[local_avgpool]\n" + std::string(options)), expected);
  }
}

TEST_CASE("Darknet layer: reorg3d moves squares into channels, reorg misreads its map", "[model][unit]") {
  const auto x = input_map();
  check_near(run_layers("[reorg3d]\nstride=2"), reorg_cpu(x, 2, 2, 16, 2, false));
  check_near(run_layers("[reorg]\nstride=2"), reorg_cpu(x, 4, 4, 4, 2, false));
  check_near(run_layers("[reorg]\nstride=2\nreverse=1"), reorg_cpu(x, 4, 4, 4, 2, true));
  // Reverse reorg3d passes the sizes of its output to reorg_cpu(): 16 channels of 4 x 4 become 4 of 8 x 8.
  const LayerWeights four_times{std::vector<float>(16), made(16 * kChannels)};
  const auto wide = convolve(x, kChannels, kSide, four_times, 1, 1, 0, 1);
  check_near(run_layers("[convolutional]\nfilters=16\nactivation=linear\n[reorg3d]\nstride=2\nreverse=1", {four_times}),
             reorg_cpu(wide, 8, 8, 4, 2, true));
}

TEST_CASE("Darknet layer: a connected layer reads its input as channels, rows and columns", "[model][unit]") {
  const LayerWeights weights{made(3), made(3 * kChannels * kPlaces)};
  const auto x = input_map();
  std::vector<float> expected;
  for (std::size_t o = 0; o < 3; ++o) {
    float sum = weights.biases[o];
    for (std::size_t i = 0; i < x.size(); ++i) sum += weights.weights[o * x.size() + i] * x[i];
    expected.push_back(sum > 0 ? sum : 0.1F * sum);
  }
  check_near(run_layers("[connected]\noutput=3\nactivation=leaky", {weights}), expected);
}

TEST_CASE("Darknet layer: a local layer has weights for each place", "[model][unit]") {
  for (const bool pad : {false, true}) {
    const int padding = pad ? 1 : 0;
    const int out = pad ? kSide : kSide - 2;
    const auto places = static_cast<std::size_t>(out * out);
    const std::size_t window = kChannels * 9;
    const LayerWeights weights{made(2 * places), made(places * 2 * window)};
    std::vector<float> expected;
    for (std::size_t f = 0; f < 2; ++f) {
      for (std::size_t i = 0; i < places; ++i) {
        float sum = weights.biases[f * places + i];
        for (std::size_t k = 0; k < window; ++k) {
          const int row = static_cast<int>(i) / out + static_cast<int>(k) / 3 % 3 - padding;
          const int column = static_cast<int>(i) % out + static_cast<int>(k) % 3 - padding;
          if (inside(row, column))
            sum += weights.weights[(i * 2 + f) * window + k] * input_value(static_cast<int>(k) / 9, row, column);
        }
        expected.push_back(sum);
      }
    }
    check_near(run_layers("[local]\nfilters=2\nsize=3\nactivation=linear\npad=" + std::to_string(padding), {weights}),
               expected);
  }
}

TEST_CASE("Darknet layer: batch normalisation and activations may be separate layers", "[model][unit]") {
  const LayerWeights weights{{1, 2, 3, 4}, {0.5F, -1, 2, 0}};
  std::vector<float> normalised;
  for (std::size_t i = 0; i < kChannels * kPlaces; ++i)
    normalised.push_back(input_map()[i] * weights.weights[i / kPlaces] + weights.biases[i / kPlaces]);
  check_near(run_layers("[batchnorm]", {weights}), normalised);
  auto positive = input_map();
  for (float& value : positive) value = std::max(value, 0.0F);
  check_near(run_layers("[activation]\nactivation=relu"), positive);
  // The activation leaves its input unchanged, so the shortcut adds the original values.
  auto sum = input_map();
  for (float& value : sum) value += std::max(value, 0.0F);
  check_near(run_layers("[dropout]\n[activation]\nactivation=relu\n[shortcut]\nfrom=-2"), sum);
}

TEST_CASE("Darknet layer: weighted shortcuts multiply each layer by its factors", "[model][unit]") {
  // Layer 0 has two channels. Layer 1 has four, as the input has.
  const LayerWeights two{made(2), made(2 * kChannels)};
  const auto first = convolve(input_map(), kChannels, kSide, two, 1, 1, 0, 1);
  LayerWeights back{made(4), made(8)};
  const auto second = convolve(first, 2, kSide, back, 1, 1, 0, 1);
  const std::string layers =
      "[convolutional]\nfilters=2\nactivation=linear\n[convolutional]\nfilters=4\nactivation=linear\n"
      "[shortcut]\nfrom=-2,-1\nactivation=leaky\nweights_type=";
  const auto leaky = [](float value) { return value > 0 ? value : 0.1F * value; };
  std::vector<float> expected;
  for (std::size_t i = 0; i < second.size(); ++i)
    expected.push_back(leaky(0.5F * second[i] + (i < first.size() ? 2 * first[i] : 0) - second[i]));
  check_near(run_layers(layers + "per_feature", {two, back, {{}, {0.5F, 2, -1}}}), expected);

  const std::vector<float> factors{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  expected.clear();
  for (std::size_t i = 0; i < second.size(); ++i) {
    const auto c = i / kPlaces;
    expected.push_back(leaky(factors[c] * second[i] + (i < first.size() ? factors[4 + c] * first[i] : 0) +
                             factors[8 + c] * second[i]));
  }
  check_near(run_layers(layers + "per_channel", {two, back, {{}, factors}}), expected);
}

TEST_CASE("Darknet layer: a shortcut samples a larger map", "[model][unit]") {
  std::vector<float> expected;
  for (int c = 0; c < kChannels; ++c) {
    for (int i = 0; i < 4; ++i) {
      const auto values = window_values(c, i / 2 * 2, i % 2 * 2, 2);
      expected.push_back(*std::max_element(values.begin(), values.end()) + input_value(c, i / 2 * 2, i % 2 * 2));
    }
  }
  check_near(run_layers("[dropout]\n[maxpool]\nsize=2\nstride=2\n[shortcut]\nfrom=0"), expected);
}

TEST_CASE("Darknet layer: a layer is scaled by channel, by place and by value", "[model][unit]") {
  const auto x = input_map();
  const LayerWeights one{made(1), made(kChannels)};
  const auto gate = convolve(x, kChannels, kSide, one, 1, 1, 0, 1);
  std::vector<float> by_place;
  std::vector<float> by_value;
  for (std::size_t i = 0; i < x.size(); ++i) {
    by_place.push_back(logistic(x[i] * gate[i % kPlaces]));
    by_value.push_back(x[i] * std::max(x[i], 0.0F));
  }
  check_near(run_layers("[dropout]\n[convolutional]\nfilters=1\nactivation=linear\n"
                        "[scale_channels]\nfrom=0\nscale_wh=1\nactivation=logistic",
                        {one}),
             by_place);
  check_near(run_layers("[dropout]\n[activation]\nactivation=relu\n[sam]\nfrom=0"), by_value);
}

TEST_CASE("Darknet layer: crop takes the middle and stretches its values", "[model][unit]") {
  std::vector<float> middle;
  for (int c = 0; c < kChannels; ++c) {
    for (int row = 1; row < 3; ++row) {
      for (int column = 0; column < 3; ++column) middle.push_back(input_value(c, row, column));
    }
  }
  check_near(run_layers("[crop]\ncrop_height=2\ncrop_width=3\nnoadjust=1"), middle);
  for (float& value : middle) value = 2 * value - 1;
  check_near(run_layers("[crop]\ncrop_height=2\ncrop_width=3"), middle);
}

TEST_CASE("Darknet head: a softmax works by groups and with a temperature", "[model][unit]") {
  std::vector<float> means;
  for (int c = 0; c < kChannels; ++c) means.push_back(mean_of(window_values(c, 0, 0, kSide)));
  std::vector<float> expected;
  for (std::size_t group = 0; group < 2; ++group) {
    const float a = std::exp(means[2 * group] / 3);
    const float b = std::exp(means[2 * group + 1] / 3);
    expected.push_back(a / (a + b));
    expected.push_back(b / (a + b));
  }
  check_near(run_network(kNet + "[avgpool]\n[softmax]\ngroups=2\ntemperature=3\n[cost]\n", {}), expected);
}

TEST_CASE("Darknet head: region has a logistic objectness and a softmax over its classes", "[model][unit]") {
  // The head has two anchors, two classes and 2 x 2 cells of two pixels.
  const LayerWeights weights{made(14), made(14 * kChannels)};
  const auto map = convolve(input_map(), kChannels, kSide, weights, 1, 2, 0, 1);
  const std::string text = kNet + "[convolutional]\nfilters=14\nstride=2\nactivation=linear\n" +
                           "[region]\nclasses=2\nnum=2\nanchors=1,2, 0.5,0.25\nsoftmax=";
  for (const bool softmax : {true, false}) {
    std::vector<float> expected;
    for (int a = 0; a < 2; ++a) {
      for (int i = 0; i < 4; ++i) {
        const auto t = [&](int value) { return map[static_cast<std::size_t>((a * 7 + value) * 4 + i)]; };
        expected.push_back((static_cast<float>(i % 2) + logistic(t(0))) * 2);
        expected.push_back((static_cast<float>(i / 2) + logistic(t(1))) * 2);
        expected.push_back(std::exp(t(2)) * (a == 0 ? 2.0F : 1.0F));
        expected.push_back(std::exp(t(3)) * (a == 0 ? 4.0F : 0.5F));
        expected.push_back(logistic(t(4)));
        const float sum = std::exp(t(5)) + std::exp(t(6));
        expected.push_back(softmax ? std::exp(t(5)) / sum : logistic(t(5)));
        expected.push_back(softmax ? std::exp(t(6)) / sum : logistic(t(6)));
      }
    }
    check_near(run_network(text + (softmax ? "1\n" : "0\n"), {weights}), expected);
  }
}

TEST_CASE("Darknet head: in a Gaussian head an uncertain box lowers the scores of its classes", "[model][unit]") {
  const LayerWeights weights{made(11, 1), made(11 * kChannels)};
  const auto map = convolve(input_map(), kChannels, kSide, weights, 1, 2, 0, 1);
  for (const int corner : {0, 1, -1}) {
    std::vector<float> expected;
    for (int i = 0; i < 4; ++i) {
      const auto t = [&](int value) { return map[static_cast<std::size_t>(value * 4 + i)]; };
      const float w = std::exp(t(4)) * 3;
      const float h = std::exp(t(6)) * 5;
      const auto spread = [](float s) { return s * 1.2F - 0.1F; };
      expected.push_back((static_cast<float>(i % 2) + spread(logistic(t(0)))) * 2 + static_cast<float>(corner) * w / 2);
      expected.push_back((static_cast<float>(i / 2) + spread(logistic(t(2)))) * 2 + static_cast<float>(corner) * h / 2);
      expected.push_back(w);
      expected.push_back(h);
      expected.push_back(logistic(t(8)));
      const float certain = 1 - (logistic(t(1)) + logistic(t(3)) + logistic(t(5)) + logistic(t(7))) / 4;
      expected.push_back(logistic(t(9)) * certain);
      expected.push_back(logistic(t(10)) * certain);
    }
    const std::string point = corner == 0 ? "center" : corner == 1 ? "left_top" : "right_bottom";
    check_near(run_network(kNet +
                               "[convolutional]\nfilters=11\nstride=2\nactivation=linear\n[Gaussian_yolo]\nclasses=2\n"
                               "num=1\nanchors=3,5\nscale_x_y=1.2\nyolo_point=" +
                               point + "\n",
                           {weights}),
               expected);
  }
}

TEST_CASE("Darknet head: YOLOv1's vector holds the classes, then the confidences, then the boxes of all cells",
          "[model][unit]") {
  // The head has 2 x 2 cells of two pixels, two boxes and three classes. Its vector has 4 * 3, 4 * 2 and 4 * 2 * 4
  // values.
  const LayerWeights weights{made(52, 1), std::vector<float>(52 * kChannels * kPlaces)};
  const auto& v = weights.biases;
  for (const bool squares : {true, false}) {
    std::vector<float> expected;
    for (std::size_t b = 0; b < 2; ++b) {
      for (std::size_t i = 0; i < 4; ++i) {
        const float* box = &v[20 + (i * 2 + b) * 4];
        expected.push_back((box[0] + static_cast<float>(i % 2)) * 2);
        expected.push_back((box[1] + static_cast<float>(i / 2)) * 2);
        expected.push_back((squares ? box[2] * box[2] : box[2]) * 4);
        expected.push_back((squares ? box[3] * box[3] : box[3]) * 4);
        expected.push_back(v[12 + i * 2 + b]);
        for (std::size_t c = 0; c < 3; ++c) expected.push_back(v[i * 3 + c]);
      }
    }
    check_near(run_network(kNet +
                               "[connected]\noutput=52\nactivation=linear\n"
                               "[detection]\nside=2\nnum=2\nclasses=3\ncoords=4\nsqrt=" +
                               (squares ? "1\n" : "0\n"),
                           {weights}),
               expected);
  }
}

TEST_CASE("Darknet layer: every kind runs in bf16", "[model][unit][skips]") {
  if (!tests::processor_has_bf16()) {
    WARN("SKIPPED: this processor has no bf16");
    return;
  }
  struct Layers {
    std::string text;
    std::vector<LayerWeights> weights;
  };
  const LayerWeights four{std::vector<float>(4), made(16, 0.5F)};
  for (const auto& [text, weights] : {
           Layers{"[convolutional]\nfilters=4\nactivation=leaky\nantialiasing=1", {four}},
           Layers{"[batchnorm]", {{{1, 0, 0, 0}, {1, 2, 1, 1}}}},
           Layers{"[connected]\noutput=3\nactivation=mish", {{made(3), made(3 * 64)}}},
           Layers{"[local]\nfilters=2\nsize=3\npad=1\nactivation=swish", {{made(32), made(16 * 2 * 36)}}},
           Layers{"[maxpool]\nsize=2\nstride=1", {}},
           Layers{"[maxpool]\nmaxpool_depth=1\nout_channels=2", {}},
           Layers{"[local_avgpool]\nsize=3\nstride=1", {}},
           Layers{"[local_avgpool]\nsize=2\nstride=2\npadding=0", {}},
           Layers{"[avgpool]", {}},
           Layers{"[dropout]\n[dropout]\n[shortcut]\nfrom=-2\nweights_type=per_channel", {{{}, made(8, 1)}}},
           Layers{"[upsample]\nstride=2", {}},
           Layers{"[reorg3d]\nstride=2", {}},
           Layers{"[crop]\ncrop_height=2\ncrop_width=2", {}},
           Layers{"[dropout]\n[dropout]\n[sam]\nfrom=0\nactivation=logistic", {}},
       }) {
    INFO(text);
    const auto exact = run_layers(text, weights);
    const auto rough = run_layers(text, weights, common::Precision::kBf16);
    REQUIRE(exact.size() == rough.size());
    for (std::size_t i = 0; i < exact.size(); ++i) CHECK(rough[i] == Approx(exact[i]).epsilon(0.02).margin(0.03));
  }
}

TEST_CASE("Darknet layer: every activation runs in bf16", "[model][unit][skips]") {
  if (!tests::processor_has_bf16()) {
    WARN("SKIPPED: this processor has no bf16");
    return;
  }
  const std::string name = GENERATE("leaky", "relu", "relu6", "relie", "ramp", "elu", "selu", "gelu", "logistic",
                                    "loggy", "tanh", "hardtan", "swish", "mish", "hard_mish", "revleaky");
  const auto text = "[activation]\nactivation=" + name;
  INFO(name);
  const auto exact = run_layers(text);
  const auto rough = run_layers(text, {}, common::Precision::kBf16);
  for (std::size_t i = 0; i < exact.size(); ++i) CHECK(rough[i] == Approx(exact[i]).epsilon(0.02).margin(0.03));
}
