#include "model/darknet/weights.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "tests/support/temporary_directory.hpp"
#include "tests/unit/model/network_builder.hpp"

using namespace yolod::model::darknet;
using Catch::Matchers::Contains;
using yolod::common::Outcome;
using yolod::tests::build;
using yolod::tests::TemporaryDirectory;

namespace {

// Builds a network of a convolution with one filter on three channels, and the convolution before the head.
Network network_with(bool batch_normalize) {
  const auto text = "[net]\nwidth=2\nheight=2\n[convolutional]\nfilters=1\nbatch_normalize=" +
                    std::string(batch_normalize ? "1" : "0") +
                    "\nactivation=linear\n[convolutional]\nfilters=6\nactivation=linear\n"
                    "[yolo]\nclasses=1\nnum=1\nanchors=1,1\n";
  auto network = build(text);
  REQUIRE(network.ok());
  return std::move(network).value();
}

std::string header(int major, int minor, std::size_t seen_bytes) {
  std::string bytes;
  for (const std::int32_t value : {major, minor, 5}) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return bytes + std::string(seen_bytes, '\0');
}

std::string floats(std::initializer_list<float> values) {
  std::string bytes;
  for (const float value : values) bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  return bytes;
}

const std::string kHead(4 * 12, '\0');  // 6 biases, 6 weights

std::string weights_problem(const std::string& bytes, bool batch_normalize = false) {
  const TemporaryDirectory folder;
  const auto weights = read_weights(folder.write("a.weights", bytes), network_with(batch_normalize));
  if (weights) return "";
  CHECK(weights.error().code == yolod::common::ErrorCode::kBadModel);
  return weights.error().message;
}

}  // namespace

TEST_CASE("Weights: the file holds the biases and then the weights of each layer", "[model][unit]") {
  const TemporaryDirectory folder;
  const auto file = folder.write("a.weights", header(0, 2, 8) + floats({0.5F, 1, 2, 3}) + kHead);
  const auto weights = read_weights(file, network_with(false));
  REQUIRE(weights.ok());
  REQUIRE(weights->layers.size() == 3);
  CHECK(weights->layers[0].biases == std::vector<float>{0.5F});
  CHECK(weights->layers[0].weights == std::vector<float>{1, 2, 3});
  CHECK(weights->layers[1].weights.size() == 6);
  CHECK(weights->layers[2].weights.empty());
}

TEST_CASE("Weights: batch normalisation is folded in", "[model][unit]") {
  const TemporaryDirectory folder;
  // The file holds bias, scale, mean, variance and weights.
  const auto file = folder.write("a.weights", header(0, 2, 8) + floats({0.5F, 2, 3, 4, 1, 2, 3}) + kHead);
  const auto weights = read_weights(file, network_with(true));
  REQUIRE(weights.ok());
  const double factor = 2 / std::sqrt(4 + 1e-5);
  CHECK(weights->layers[0].biases[0] == Approx(0.5 - 3 * factor));
  CHECK(weights->layers[0].weights[2] == Approx(3 * factor));
}

TEST_CASE("Weights: the count of seen images has 32 bits before version 0.2", "[model][unit]") {
  CHECK(weights_problem(header(0, 1, 4) + floats({0, 1, 2, 3}) + kHead).empty());
  CHECK(weights_problem(header(0, 2, 8) + floats({0, 1, 2, 3}) + kHead).empty());
  CHECK_THAT(weights_problem(header(0, 1, 8) + floats({0, 1, 2, 3}) + kHead), Contains("4 too many"));
}

TEST_CASE("Weights: the error for a file that is too short or too long gives the difference", "[model][unit]") {
  const auto whole = header(0, 2, 8) + floats({0, 1, 2, 3}) + kHead;
  CHECK(weights_problem(whole).empty());
  CHECK_THAT(weights_problem(whole.substr(0, whole.size() - 1)), Contains("83 bytes, a.cfg needs 84: 1 too few"));
  CHECK_THAT(weights_problem(whole + "abc"), Contains("3 too many"));
  CHECK_THAT(weights_problem(whole, true), Contains("12 too few"));
  CHECK_THAT(weights_problem("short"), Contains("too short for a weights file"));
  CHECK_THAT(weights_problem(""), Contains("too short for a weights file"));
}

TEST_CASE("Weights: a file without read permission is an error", "[model][unit]") {
  const TemporaryDirectory folder;
  const auto file = folder.write("a.weights", header(0, 2, 8) + floats({0.5F, 1, 2, 3}) + kHead);
  std::filesystem::permissions(folder.path(), std::filesystem::perms::others_exec, std::filesystem::perm_options::add);
  std::filesystem::permissions(file, std::filesystem::perms::none);
  // Root may read every file, so this process takes another user for a moment.
  constexpr uid_t kNobody = 65'534;
  const auto user = geteuid();
  if (user == 0) REQUIRE(seteuid(kNobody) == 0);
  const auto weights = read_weights(file, network_with(false));
  if (user == 0) REQUIRE(seteuid(user) == 0);
  REQUIRE_FALSE(weights.ok());
  CHECK(weights.error().message == file.string() + ": Permission denied");
}

TEST_CASE("Weights: the error for another kind of file names that kind", "[model][unit]") {
  CHECK_THAT(weights_problem("PK\x03\x04" + std::string(80, 'x')), Contains("PyTorch checkpoint"));
  CHECK_THAT(weights_problem(std::string(84, 'x')), Contains("not a Darknet weights file"));
  CHECK_THAT(read_weights("/nonexistent.weights", network_with(false)).error().message, Contains("no such file"));
  CHECK_THAT(read_weights("/dev/zero", network_with(false)).error().message, Contains("not a regular file"));
  CHECK_THAT(read_weights("/tmp", network_with(false)).error().message, Contains("not a regular file"));
}

TEST_CASE("Weights: the error for values that are not finite names their layer", "[model][unit]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinite = std::numeric_limits<float>::infinity();
  CHECK_THAT(weights_problem(header(0, 2, 8) + floats({0, 1, nan, 3}) + kHead),
             Contains("layer 0 ([convolutional] at a.cfg:4)"));
  CHECK_THAT(weights_problem(header(0, 2, 8) + floats({infinite, 1, 2, 3}) + kHead), Contains("not finite"));
  // A negative variance has no square root.
  CHECK_THAT(weights_problem(header(0, 2, 8) + floats({0, 1, 0, -5, 1, 2, 3}) + kHead, true), Contains("not finite"));
}

namespace {

// Reads the weights of `layers`, on an input of 2 x 2 x 3, from `bytes`. This function appends the weights of the
// head.
Outcome<Weights> read_layers(const std::string& layers, const std::string& bytes) {
  const auto network = build("[net]\nwidth=2\nheight=2\n" + layers +
                             "[convolutional]\nfilters=6\nactivation=linear\n[yolo]\nclasses=1\nnum=1\nanchors=1,1\n");
  INFO((network ? std::string() : network.error().message));
  REQUIRE(network.ok());
  const TemporaryDirectory folder;
  return read_weights(folder.write("a.weights", bytes), *network);
}

std::string zeros(std::size_t count) { return std::string(4 * count, '\0'); }

}  // namespace

TEST_CASE("Weights: the normalisation of a connected layer comes last in the file", "[model][unit]") {
  // The layer has one output and twelve inputs. The file holds bias, weights, scale, mean and variance.
  const std::string layer = "[connected]\noutput=1\nbatch_normalize=1\nactivation=linear\n";
  const auto weights =
      read_layers(layer, header(0, 2, 8) + floats({0.5F, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 2, 3, 4}) + zeros(12));
  INFO((weights ? std::string() : weights.error().message));
  REQUIRE(weights.ok());
  const double factor = 2 / std::sqrt(4 + 1e-5);
  CHECK(weights->layers[0].biases[0] == Approx(0.5 - 3 * factor));
  CHECK(weights->layers[0].weights[11] == Approx(12 * factor));
}

TEST_CASE("Weights: in versions above 1000 the weights of connected layers are transposed", "[model][unit]") {
  const std::string layer = "[maxpool]\nstride=2\n[connected]\noutput=2\nactivation=linear\n";
  const auto values = floats({0, 0, 1, 2, 3, 4, 5, 6}) + zeros(18);
  const auto plain = read_layers(layer, header(0, 2, 8) + values);
  REQUIRE(plain.ok());
  CHECK(plain->layers[1].weights == std::vector<float>{1, 2, 3, 4, 5, 6});
  // The header counts the seen images in 64 or in 32 bits.
  for (const std::size_t seen_bytes : {std::size_t{8}, std::size_t{4}}) {
    const auto turned = read_layers(layer, header(0, 1001, seen_bytes) + values);
    INFO((turned ? std::string() : turned.error().message));
    REQUIRE(turned.ok());
    CHECK(turned->layers[1].weights == std::vector<float>{1, 3, 5, 2, 4, 6});
  }
}

TEST_CASE("Weights: the weights of a flipped convolution are transposed", "[model][unit]") {
  const auto weights = read_layers("[convolutional]\nfilters=2\nflipped=1\nactivation=linear\n",
                                   header(0, 2, 8) + floats({7, 8, 1, 2, 3, 4, 5, 6}) + zeros(18));
  REQUIRE(weights.ok());
  CHECK(weights->layers[0].biases == std::vector<float>{7, 8});
  CHECK(weights->layers[0].weights == std::vector<float>{1, 3, 5, 2, 4, 6});
}

TEST_CASE("Weights: a batch normalisation layer becomes a factor and an addend", "[model][unit]") {
  const auto weights =
      read_layers("[batchnorm]\n", header(0, 2, 8) + floats({1, 2, 3, 2, 2, 2, 3, 3, 3, 4, 4, 4}) + zeros(24));
  REQUIRE(weights.ok());
  const double factor = 2 / std::sqrt(4 + 1e-5);
  CHECK(weights->layers[0].weights[2] == Approx(factor));
  CHECK(weights->layers[0].biases[1] == Approx(2 - 3 * factor));
}

TEST_CASE("Weights: a shortcut's factors are normalised", "[model][unit]") {
  const std::string layers = "[dropout]\n[dropout]\n[shortcut]\nfrom=-2\nweights_type=";
  const auto factors_of = [&](const std::string& options, const std::string& values) {
    const auto weights = read_layers(layers + options + "\n", header(0, 2, 8) + values + zeros(24));
    INFO((weights ? std::string() : weights.error().message));
    REQUIRE(weights.ok());
    return weights->layers[2].weights;
  };
  CHECK(factors_of("per_feature", floats({3, -1})) == std::vector<float>{3, -1});
  // A factor below 0.001 counts as 0.001, and the sum has 0.0001 added, so the sum is never 0.
  const auto positive = factors_of("per_feature\nweights_normalization=relu", floats({3, -1}));
  CHECK(positive[0] == Approx(3 / 3.0011));
  CHECK(positive[1] == Approx(0.001 / 3.0011));
  const auto soft = factors_of("per_channel\nweights_normalization=softmax", floats({1, 2, 3, 0, 2, 5}));
  CHECK(soft[0] == Approx(1 / (1 + std::exp(-1) + 0.0001)));
  CHECK(soft[4] == Approx(1 / 2.0001));
  CHECK(soft[2] == Approx(std::exp(-2) / (1 + std::exp(-2) + 0.0001)));
}

TEST_CASE("Weights: a convolution with shared weights has no weights in the file", "[model][unit]") {
  const std::string layer = "[convolutional]\nfilters=3\nactivation=linear\n";
  const auto weights = read_layers(layer + layer + "share_index=0\n", header(0, 2, 8) + zeros(12 + 24));
  INFO((weights ? std::string() : weights.error().message));
  REQUIRE(weights.ok());
  CHECK(weights->layers[1].weights.empty());
}

TEST_CASE("Weights: a local layer has a bias and a kernel for each place", "[model][unit]") {
  const auto weights =
      read_layers("[local]\nfilters=2\nsize=1\nactivation=linear\n", header(0, 2, 8) + zeros(2 * 4 + 4 * 2 * 3 + 18));
  INFO((weights ? std::string() : weights.error().message));
  REQUIRE(weights.ok());
  CHECK(weights->layers[0].biases.size() == 8);
  CHECK(weights->layers[0].weights.size() == 24);
}

TEST_CASE("Weights: the error tells a partial file for training from a damaged file", "[model][unit]") {
  const auto first = header(0, 2, 8) + floats({0, 1, 2, 3});
  CHECK_THAT(weights_problem(first),
             Contains("48 too few: it ends after the first 1 of 3 layers, a partial file") && Contains("\".conv.1\""));
  CHECK_THAT(weights_problem(first + "abcd"), Contains("44 too few") && !Contains("partial"));
}

TEST_CASE("Weights: training accepts a file that ends at the end of a layer, and refuses other short files",
          "[model][unit]") {
  const TemporaryDirectory folder;
  const auto network = network_with(false);
  // The first convolution has a bias and three weights. The head's convolution has six biases and six weights.
  const auto file_of = [&](std::size_t values) {
    return folder.write("a.weights", header(0, 2, 8) + std::string(4 * values, '\0'));
  };
  const auto first = read_first_weights(file_of(4), network);
  REQUIRE(first.ok());
  REQUIRE(first->layers.size() == network.layers.size());
  CHECK(first->layers[0].weights.size() == 3);
  CHECK(first->layers[1].biases.empty());
  CHECK(read_first_weights(file_of(16), network)->layers[1].biases.size() == 6);
  for (const std::size_t values : {0, 3, 5, 15, 17}) CHECK_FALSE(read_first_weights(file_of(values), network).ok());
}
