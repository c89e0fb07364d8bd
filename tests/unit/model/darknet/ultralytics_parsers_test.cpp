#include <catch2/catch.hpp>

#include "model/darknet/weights.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/model/network_builder.hpp"

using namespace yolod::model::darknet;
using Catch::Matchers::Contains;

namespace {

yolod::common::Outcome<Network> build_ultralytics(std::string_view layers) {
  const auto cfg = parse_cfg(yolod::tests::detector_cfg(layers), "a.cfg");
  REQUIRE(cfg.ok());
  return build_network(*cfg, std::nullopt, Rules::kUltralytics);
}

Layer first_layer(std::string_view layers) {
  const auto network = build_ultralytics(layers);
  INFO((network ? std::string() : network.error().message));
  REQUIRE(network.ok());
  return network.value().layers.front();
}

std::string ultralytics_problem(std::string_view layers) {
  const auto network = build_ultralytics(layers);
  return network ? "" : network.error().message;
}

}  // namespace

TEST_CASE("Ultralytics: filters of several sizes are split by equal parameters", "[model][unit]") {
  const auto layer =
      first_layer("[convolutional]\nbatch_normalize=1\nfilters=46\nsize=3,5,7\nstride=2\nactivation=swish\n");
  const auto& mixed = std::get<MixedConvolutional>(layer.kind);
  REQUIRE(mixed.parts.size() == 3);
  CHECK(mixed.parts[0].filters == 30);
  CHECK(mixed.parts[1].filters == 11);
  CHECK(mixed.parts[2].filters == 5);
  CHECK(mixed.parts[2].size == 7);
  CHECK(mixed.stride_x == 2);
  CHECK(layer.output == Shape{46, 4, 4});
  CHECK(weight_count(layer) == 4 * 46 + 3 * (30 * 9 + 11 * 25 + 5 * 49));
}

TEST_CASE("Ultralytics: a split whose parts do not add up to the filters is refused", "[model][unit]") {
  const auto mixed = [](const char* sizes, int filters, const char* more = "") {
    return ultralytics_problem("[convolutional]\nfilters=" + std::to_string(filters) + "\nsize=" + sizes + "\n" + more);
  };
  CHECK_THAT(mixed("1,1", 3), Contains("a.cfg:6: [convolutional]: filters: 3 split over the sizes come to 4"));
  CHECK_THAT(mixed("1,15", 20), Contains("too few for so many sizes"));
  CHECK_THAT(mixed("3,4", 25), Contains("even and odd sizes"));
  CHECK_THAT(mixed("3,5", 40, "groups=2\n"), Contains("groups"));
  CHECK(mixed("3,5", 40).empty());
}

TEST_CASE(
    "Ultralytics: pools are padded equally on both sides, and a pool of size 2 without stride is padded with zeros",
    "[model][unit]") {
  const auto pool = [](int size, int stride) {
    return first_layer("[maxpool]\nsize=" + std::to_string(size) + "\nstride=" + std::to_string(stride) + "\n");
  };
  CHECK(pool(2, 2).output == Shape{3, 4, 4});
  CHECK_FALSE(std::get<MaxPool>(pool(2, 2).kind).zero_edge);
  CHECK(pool(2, 1).output == Shape{3, 8, 8});
  CHECK(std::get<MaxPool>(pool(2, 1).kind).zero_edge);
  CHECK(pool(5, 1).output == Shape{3, 8, 8});
  CHECK(pool(4, 1).output == Shape{3, 7, 7});
  CHECK(pool(3, 2).output == Shape{3, 4, 4});
  const std::string halves = "[maxpool]\nsize=2\nstride=2\n";
  CHECK_THAT(ultralytics_problem(halves + halves + halves + halves), Contains("does not fit its input of 1 x 1 x 3"));
}

TEST_CASE("Ultralytics: any weights_type makes a fusion weighted", "[model][unit]") {
  const auto network = build_ultralytics(
      "[convolutional]\nfilters=4\n[shortcut]\nfrom=-1\nweights_type=whatever\nactivation=leaky\n"
      "[shortcut]\nfrom=-1\nactivation=leaky\n");
  REQUIRE(network.ok());
  const auto& weighted = std::get<Shortcut>(network.value().layers[1].kind);
  CHECK(weighted.weights == ShortcutWeights::kPerFeature);
  CHECK(weighted.normalization == WeightsNormalization::kSigmoid);
  CHECK(weighted.activation == Activation::kLinear);
  CHECK(std::get<Shortcut>(network.value().layers[2].kind).weights == ShortcutWeights::kNone);
}

TEST_CASE("Ultralytics: options that the program does not read change nothing", "[model][unit]") {
  CHECK(std::holds_alternative<PassThrough>(first_layer("[reorg3d]\nstride=2\n").kind));
  const auto cfg =
      parse_cfg(yolod::tests::detector_cfg("") + "scale_x_y=1.2\nnew_coords=1\nnms_kind=diounms\nfrom=3,4\n", "a.cfg");
  REQUIRE(cfg.ok());
  const auto network = build_network(*cfg, std::nullopt, Rules::kUltralytics);
  REQUIRE(network.ok());
  const auto& head = std::get<Yolo>(network.value().layers.back().kind);
  CHECK(head.scale_x_y == 1);
  CHECK_FALSE(head.new_coords);
  CHECK(head.nms_kind == yolod::model::heads::Overlap::kIou);
}

TEST_CASE("Ultralytics: options that the program would misread are refused", "[model][unit]") {
  CHECK_THAT(ultralytics_problem("[convolutional]\nactivation=relu\n"),
             Contains("\"relu\"") && Contains("leaky, swish or mish"));
  CHECK_THAT(ultralytics_problem("[convolutional]\nsize=3\ndilation=2\n"), Contains("dilation"));
  CHECK_THAT(ultralytics_problem("[convolutional]\nfilters=4\n[route]\nlayers=-1\ngroups=2\n"), Contains("groups"));
  CHECK_THAT(ultralytics_problem("[avgpool]\n"), Contains("a.cfg:5: [avgpool]: this layer is not in Ultralytics'"));
  CHECK_THAT(ultralytics_problem(
                 "[maxpool]\nsize=2\nstride=2\n[shortcut]\nfrom=-1\n[convolutional]\nstride=2\n[shortcut]\nfrom=-2\n"),
             Contains("4 x 4 x 3"));
}

TEST_CASE("Ultralytics: a cfg that only this program can read needs a checkpoint of this program", "[model][unit]") {
  for (const auto* layers : {"[BatchNorm2d]\n", "[convolutional]\nfilters=40\nsize=3,5\n"}) {
    const auto network = yolod::tests::build(yolod::tests::detector_cfg(layers));
    INFO((network ? std::string() : network.error().message));
    REQUIRE(network.ok());
    CHECK(network.value().rules == Rules::kUltralytics);
    const yolod::tests::TemporaryDirectory folder;
    CHECK_THAT(read_weights(folder.write("a.weights", std::string(100, '\0')), *network).error().message,
               Contains("its weights must be a checkpoint (.pt)"));
  }
  CHECK(yolod::tests::build(yolod::tests::detector_cfg(""))->rules == Rules::kDarknet);
}
