#include "tools/train/start_weights.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <limits>
#include <string>

#include "model/darknet/write_weights.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/train/made_pictures.hpp"
#include "tools/train/class_count.hpp"

using namespace yolod;
using Catch::Matchers::Contains;

namespace {

std::string cfg_with(int classes) { return *train::with_class_count(tests::kTrainableCfg, "small.cfg", classes); }

// Writes a weights file of the small network with this number of classes.
std::filesystem::path weights_of(const tests::TemporaryDirectory& folder, int classes, std::uint64_t seed) {
  const auto network = tests::trainable_network(cfg_with(classes));
  auto file = folder.path() / "start.weights";
  REQUIRE(model::darknet::write_weights(file, network, train::fresh_weights(network, seed)).ok());
  return file;
}

}  // namespace

TEST_CASE("StartWeights: a file of the same network gives every layer", "[train][unit]") {
  const tests::TemporaryDirectory folder;
  const auto network = tests::trainable_network();
  const auto start = train::read_start_weights(weights_of(folder, 3, 5), tests::kTrainableCfg, network, 1);
  REQUIRE(start.ok());
  CHECK(start->fresh.empty());
  CHECK(start->taken == 7);
  const auto there = train::fresh_weights(network, 5);
  for (std::size_t i = 0; i < network.layers.size(); ++i)
    CHECK(start->weights.layers[i].weights == there.layers[i].weights);
  CHECK(train::text_of(*start, network) == "7 layers take their weights from the file");
}

TEST_CASE("StartWeights: with a file of other classes the heads' convolutions get fresh weights", "[train][unit]") {
  const tests::TemporaryDirectory folder;
  const auto file = weights_of(folder, 11, 5);
  const auto network = tests::trainable_network();
  // The user's cfg may have the file's number of classes, the wanted number, or another number.
  for (const int classes : {11, 3, 20}) {
    const auto start = train::read_start_weights(file, cfg_with(classes), network, 1);
    INFO((start ? std::string() : start.error().message));
    REQUIRE(start.ok());
    CHECK(start->taken == 5);
    CHECK(start->fresh == std::vector<std::size_t>{11, 16});
    CHECK_THAT(train::text_of(*start, network),
               Contains("2 layers start with new weights: layer 11 ([convolutional], line ") &&
                   Contains(", layer 16 ([convolutional]"));
    CHECK(start->weights.layers[0].weights == train::fresh_weights(network, 5).layers[0].weights);
    CHECK(start->weights.layers[16].weights.size() == train::fresh_weights(network, 1).layers[16].weights.size());
  }
}

TEST_CASE("StartWeights: a file of the first layers gives the weights of these layers", "[train][unit]") {
  const tests::TemporaryDirectory folder;
  const auto file = weights_of(folder, 3, 5);
  const auto network = tests::trainable_network();
  const auto two = model::darknet::weight_count(network.layers[0]) + model::darknet::weight_count(network.layers[1]);
  std::filesystem::resize_file(file, static_cast<std::uintmax_t>(20 + 4 * two));
  const auto start = train::read_start_weights(file, tests::kTrainableCfg, network, 1);
  REQUIRE(start.ok());
  CHECK(start->taken == 2);
  CHECK(start->fresh.size() == 5);
}

TEST_CASE("StartWeights: weights of another network or that are not finite are refused", "[train][unit]") {
  const tests::TemporaryDirectory folder;
  const auto network = tests::trainable_network();
  const auto read = [&](const std::filesystem::path& file) {
    const auto start = train::read_start_weights(file, tests::kTrainableCfg, network, 1);
    REQUIRE_FALSE(start.ok());
    return start.error().message;
  };
  CHECK_THAT(read(folder.path() / "absent"), Contains("no such file"));
  const auto cut = weights_of(folder, 3, 5);
  std::filesystem::resize_file(cut, std::filesystem::file_size(cut) - 4);
  CHECK_THAT(read(cut), Contains("too few"));
  auto broken = train::fresh_weights(network, 5);
  broken.layers[1].weights[3] = std::numeric_limits<float>::quiet_NaN();
  const auto file = folder.path() / "broken.weights";
  REQUIRE(model::darknet::write_weights(file, network, broken).ok());
  CHECK_THAT(read(file), Contains("layer 1 ([convolutional]") && Contains("not finite"));
}

TEST_CASE("StartWeights: fresh weights expect few objects", "[train][unit]") {
  const auto network = tests::trainable_network();
  const auto weights = train::fresh_weights(network, 1);
  // There are two anchors with rows of 8 values: x, y, w, h, objectness and three classes.
  const auto& biases = weights.layers[11].biases;
  REQUIRE(biases.size() == 16);
  CHECK(biases[3] == 0);
  CHECK(biases[4] == Approx(-4.595).margin(0.001));
  CHECK(biases[5] == Approx(-0.693).margin(0.001));
  CHECK(biases[12] == biases[4]);
  CHECK(weights.layers[0].weights != train::fresh_weights(network, 2).layers[0].weights);
}
