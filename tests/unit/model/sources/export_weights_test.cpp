// Tests the writer of Darknet's weights files, with weights from such files and from checkpoints.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "model/checkpoint/network_weights.hpp"
#include "model/checkpoint/to_darknet.hpp"
#include "model/darknet/write_weights.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/model/network_builder.hpp"

using namespace yolod::model::darknet;
using Catch::Matchers::Contains;
using yolod::common::Outcome;
using yolod::tests::detector_cfg;
using yolod::tests::TemporaryDirectory;

namespace {

yolod::model::darknet::Network built(const std::string& text, Rules rules = Rules::kDarknet) {
  const auto cfg = parse_cfg(text, "a.cfg");
  REQUIRE(cfg.ok());
  auto network = build_network(*cfg, std::nullopt, rules);
  INFO((network ? std::string() : network.error().message));
  REQUIRE(network.ok());
  return std::move(network).value();
}

// Returns a header and different numbers for all weights of the network.
std::string weights_bytes(const yolod::model::darknet::Network& network, std::int32_t minor, std::int64_t seen) {
  std::string bytes;
  const auto append = [&bytes](const auto& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  append(std::int32_t{0});
  append(minor);
  append(std::int32_t{0});
  append(seen);
  for (std::int64_t i = 0; i < weight_count(network); ++i) append(0.5F + static_cast<float>(i));
  return bytes;
}

constexpr std::size_t kHeaderBytes = 20;

// Reads weights from `bytes`, writes them, and returns the bytes of the written file.
std::string written_again(const yolod::model::darknet::Network& network, const std::string& bytes) {
  const TemporaryDirectory folder;
  auto stored = read_stored_weights(folder.write("a.weights", bytes), network);
  INFO((stored ? std::string() : stored.error().message));
  REQUIRE(stored.ok());
  const auto file = folder.path() / "b.weights";
  const auto written = write_weights(file, network, std::move(stored).value());
  INFO((written ? std::string() : written.error().message));
  REQUIRE(written.ok());
  CHECK(folder.names() == std::vector<std::string>{"a.weights", "b.weights"});
  return yolod::tests::read_file(file);
}

// The layers include every kind that has weights.
const std::string kEveryKind =
    "[convolutional]\nbatch_normalize=1\nfilters=4\nsize=3\npad=1\nactivation=leaky\n"
    "[convolutional]\nfilters=4\nsize=3\npad=1\nflipped=1\nactivation=leaky\n"
    "[shortcut]\nfrom=-2\nweights_type=per_channel\nweights_normalization=softmax\nactivation=linear\n"
    "[convolutional]\nbatch_normalize=1\nfilters=4\nsize=3\npad=1\nshare_index=1\nactivation=leaky\n"
    "[batchnorm]\n[local]\nfilters=2\nsize=3\npad=1\nstride=4\nactivation=linear\n"
    "[connected]\noutput=3\nbatch_normalize=1\nactivation=linear\n";

}  // namespace

TEST_CASE("Export of weights: the written file equals the file that was read, except for the version",
          "[model][unit]") {
  const auto network = built(detector_cfg(kEveryKind));
  const auto bytes = weights_bytes(network, 2, (std::int64_t{1} << 40U) + 7);
  const auto again = written_again(network, bytes);
  CHECK(again.substr(0, kHeaderBytes) ==
        std::string("\0\0\0\0\2\0\0\0\5\0\0\0", 12) + bytes.substr(12, kHeaderBytes - 12));
  CHECK(again.substr(kHeaderBytes) == bytes.substr(kHeaderBytes));
}

TEST_CASE("Export of weights: transposed connected layers are transposed back", "[model][unit]") {
  const auto network = built(detector_cfg("[connected]\noutput=3\nactivation=linear\n"));
  const auto bytes = weights_bytes(network, 1001, 3);
  const auto again = written_again(network, bytes);
  CHECK(again.size() == bytes.size());
  CHECK(again.substr(kHeaderBytes) != bytes.substr(kHeaderBytes));
  const TemporaryDirectory folder;
  const auto before = read_weights(folder.write("a.weights", bytes), network);
  const auto after = read_weights(folder.write("b.weights", again), network);
  REQUIRE((before.ok() && after.ok()));
  CHECK(before->layers[0].weights == after->layers[0].weights);
}

TEST_CASE("Export of weights: an error leaves the existing file unchanged", "[model][unit]") {
  const auto network = built(detector_cfg(""));
  StoredWeights weights;
  for (const auto& layer : network.layers) weights.layers.push_back(empty_values(layer));
  const auto nowhere = write_weights("/nonexistent/a.weights", network, weights);
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().code == yolod::common::ErrorCode::kSystem);
  CHECK(nowhere.error().message == "/nonexistent/a.weights: No such file or directory");

  const TemporaryDirectory folder;
  std::filesystem::create_directory(folder.path() / "a.weights");
  CHECK_FALSE(write_weights(folder.path() / "a.weights", network, weights).ok());
  CHECK(folder.names() == std::vector<std::string>{"a.weights"});
}

// ---- from a checkpoint ----

namespace {

constexpr const char* kPlainConvolution =
    "[convolutional]\nbatch_normalize=1\nfilters=3\nsize=3\npad=1\nstride=1\nactivation=leaky\n";

Outcome<StoredWeights> converted(const std::string& text, StoredWeights weights = {}) {
  const auto theirs = built(text, Rules::kUltralytics);
  while (weights.layers.size() < theirs.layers.size())
    weights.layers.push_back(empty_values(theirs.layers[weights.layers.size()]));
  return yolod::model::checkpoint::to_darknet(theirs, built(text), std::move(weights));
}

std::string conversion_problem(const std::string& layers) {
  const auto weights = converted(detector_cfg(layers));
  if (weights) return {};
  CHECK(weights.error().code == yolod::common::ErrorCode::kBadModel);
  return weights.error().message;
}

}  // namespace

TEST_CASE("Checkpoint to Darknet: the variances are adjusted to Darknet's epsilon", "[model][unit]") {
  const auto text = detector_cfg(kPlainConvolution);
  const auto network = built(text);
  StoredWeights weights;
  weights.layers.push_back(empty_values(network.layers[0]));
  auto& values = weights.layers[0];
  values.normalization = {{1, 2, 3}, {4, 5, 6}, {0, 1e-4F, 2}};
  std::fill(values.weights.begin(), values.weights.end(), 0.25F);
  const auto expected = fold(network.layers[0], values, yolod::model::checkpoint::kBatchNormEpsilon);
  auto made = converted(text, weights);
  REQUIRE(made.ok());
  const auto actual = fold(network.layers[0], made->layers[0], yolod::model::darknet::kBatchNormEpsilon);
  for (std::size_t i = 0; i < actual.weights.size(); ++i)
    CHECK(actual.weights[i] == Approx(expected.weights[i]).epsilon(1e-6));
  for (std::size_t i = 0; i < 3; ++i) CHECK(actual.biases[i] == Approx(expected.biases[i]).epsilon(1e-6));
}

TEST_CASE("Checkpoint to Darknet: a shortcut's weights become its factors", "[model][unit]") {
  const auto shortcut = [](const char* type) {
    return detector_cfg(std::string(kPlainConvolution) + "[shortcut]\nfrom=0\nactivation=linear\nweights_type=" + type +
                        "\n");
  };
  const auto factors = [&](const char* type) {
    const auto network = built(shortcut(type), Rules::kUltralytics);
    StoredWeights weights;
    weights.layers = {empty_values(network.layers[0]), empty_values(network.layers[1])};
    weights.layers[1].weights = {0, 2};
    auto made = converted(shortcut(type), weights);
    REQUIRE(made.ok());
    return made->layers[1].weights;
  };
  const auto second = 1 / (1 + std::exp(-2.0F));
  CHECK(factors("per_feature") == std::vector<float>{0.5F, second});
  CHECK(factors("per_channel") == std::vector<float>{0.5F, 0.5F, 0.5F, second, second, second});
}

TEST_CASE("Checkpoint to Darknet: the error for a layer that Darknet computes differently names section and line",
          "[model][unit]") {
  const std::string before = kPlainConvolution;
  const auto at = [](int line, const char* section) {
    return Contains("a.cfg:" + std::to_string(line) + ": [" + section + "]: no weights file can represent it: ");
  };
  CHECK_THAT(conversion_problem("[BatchNorm2d]\n"), at(5, "BatchNorm2d"));
  CHECK_THAT(conversion_problem("[convolutional]\nfilters=40\nsize=3,5\nactivation=leaky\n"),
             at(5, "convolutional") && Contains("several sizes"));
  CHECK_THAT(conversion_problem(before + "[maxpool]\nsize=2\nstride=1\n"), at(12, "maxpool") && Contains("zeros"));
  // Darknet has one more window here than Ultralytics.
  CHECK_THAT(conversion_problem("[maxpool]\nsize=4\nstride=1\n"), at(5, "maxpool") && Contains("elsewhere"));
  CHECK_THAT(conversion_problem("[reorg3d]\nstride=2\n"), at(5, "reorg3d"));
  CHECK_THAT(conversion_problem(before + "[shortcut]\nfrom=0\nactivation=leaky\n"), at(12, "shortcut"));
  CHECK_THAT(conversion_problem(before + "[shortcut]\nfrom=0\nactivation=linear\nweights_type=per_feature\n"
                                         "weights_normalization=softmax\n"),
             at(12, "shortcut") && Contains("weights_normalization"));
  CHECK_THAT(conversion_problem(before + "[shortcut]\nfrom=0\nactivation=linear\nweights_type=none\n"),
             at(12, "shortcut") && Contains("weights_type"));
  const auto head = converted(detector_cfg("") + "scale_x_y=1.1\n");
  REQUIRE_FALSE(head.ok());
  CHECK_THAT(head.error().message, at(9, "yolo") && Contains("scale_x_y"));
}

TEST_CASE("Checkpoint to Darknet: pools with the same windows in both programs are accepted", "[model][unit]") {
  // On a map with an even size, the windows of size 2 are the same for any padding.
  CHECK(conversion_problem("[maxpool]\nsize=2\nstride=2\n").empty());
  CHECK(conversion_problem("[maxpool]\nsize=5\nstride=1\n").empty());
  CHECK(conversion_problem("[maxpool]\nsize=1\nstride=1\n").empty());
}
