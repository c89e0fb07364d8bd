#include "model/darknet/network.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/test_data.hpp"
#include "tests/unit/model/network_builder.hpp"

using namespace yolod::model::darknet;
using Catch::Matchers::Contains;
using yolod::tests::build;
using yolod::tests::detector_cfg;

namespace {

std::string build_problem(const std::string& text) {
  const auto network = build(text);
  if (network) return "";
  CHECK(network.error().code == yolod::common::ErrorCode::kBadModel);
  CHECK(network.error().message.find('\n') == std::string::npos);
  return network.error().message;
}

Shape first_output(const std::string& layer) {
  const auto network = build(detector_cfg(layer));
  INFO((network ? std::string() : network.error().message));
  REQUIRE(network.ok());
  return network->layers.front().output;
}

}  // namespace

TEST_CASE("Network: the smallest detector", "[model][unit]") {
  const auto network = build(detector_cfg(""));
  REQUIRE(network.ok());
  CHECK(network->input == Shape{3, 8, 8});
  CHECK(network->classes == 1);
  CHECK_FALSE(network->letter_box);
  CHECK(network->layers.size() == 2);
  CHECK(candidate_count(*network) == 64);
  CHECK(heads(*network).size() == 1);
}

TEST_CASE("Network: another input size replaces the cfg's", "[model][unit]") {
  const auto network = build(detector_cfg(""), yolod::common::InputSize{4, 6});
  REQUIRE(network.ok());
  CHECK(network->input == Shape{3, 4, 6});
  CHECK(candidate_count(*network) == 24);
  CHECK_FALSE(build(detector_cfg(""), yolod::common::InputSize{0, 6}).ok());
  CHECK_FALSE(build(detector_cfg(""), yolod::common::InputSize{1U << 31U, 6}).ok());
}

TEST_CASE("Network: convolution shapes", "[model][unit]") {
  CHECK(first_output("[convolutional]\nfilters=4\nsize=3\nstride=2\npad=1\nactivation=leaky") == Shape{4, 4, 4});
  CHECK(first_output("[convolutional]\nfilters=4\nsize=3\nstride_x=2\nstride_y=1\npad=1\nactivation=mish") ==
        Shape{4, 8, 4});
  CHECK(first_output("[convolutional]\nfilters=4\nsize=3\nactivation=swish") == Shape{4, 6, 6});
  CHECK(first_output("[convolutional]\nfilters=4\nsize=3\npadding=2\nactivation=relu6") == Shape{4, 10, 10});
  CHECK(first_output("[convolutional]\nfilters=4\nsize=3\npad=1\ndilation=2\nactivation=relu") == Shape{4, 8, 8});
}

TEST_CASE("Network: an even-sized padded convolution grows the map by one, as in Darknet", "[model][unit]") {
  CHECK(first_output("[convolutional]\nfilters=4\nsize=2\npad=1\nactivation=relu") == Shape{4, 9, 9});
}

TEST_CASE("Network: max-pooling pads by size - 1 in all unless told", "[model][unit]") {
  CHECK(first_output("[maxpool]\nsize=2\nstride=2") == Shape{3, 4, 4});
  CHECK(first_output("[maxpool]\nsize=2\nstride=1") == Shape{3, 8, 8});
  CHECK(first_output("[maxpool]\nsize=3\nstride=2") == Shape{3, 4, 4});
  CHECK(first_output("[maxpool]\nsize=5\nstride=1") == Shape{3, 8, 8});
  CHECK(first_output("[maxpool]\nsize=2\nstride=2\npadding=0") == Shape{3, 4, 4});
  CHECK(first_output("[maxpool]\nstride=2") == Shape{3, 4, 4});  // size follows stride
}

TEST_CASE("Network: route, upsample, avgpool, dropout shapes", "[model][unit]") {
  CHECK(first_output("[upsample]\nstride=2") == Shape{3, 16, 16});
  CHECK(first_output("[avgpool]") == Shape{3, 1, 1});
  CHECK(first_output("[dropout]\nprobability=.5") == Shape{3, 8, 8});
  const std::string conv = "[convolutional]\nfilters=4\nactivation=linear\n";
  const auto routed = build(detector_cfg(conv + "[route]\nlayers=-1,0\n"));
  REQUIRE(routed.ok());
  CHECK(routed->layers[1].output == Shape{8, 8, 8});
  const auto grouped = build(detector_cfg(conv + "[route]\nlayers=-1\ngroups=2\ngroup_id=1\n"));
  REQUIRE(grouped.ok());
  CHECK(grouped->layers[1].output == Shape{2, 8, 8});
}

TEST_CASE("Network: scale_channels takes the map of `from` and one value a channel", "[model][unit]") {
  const std::string conv = "[convolutional]\nfilters=4\nactivation=linear\n";
  const auto network = build(detector_cfg(conv + "[avgpool]\n[scale_channels]\nfrom=-2\n"));
  REQUIRE(network.ok());
  CHECK(network->layers[2].output == Shape{4, 8, 8});
  CHECK_THAT(build_problem(detector_cfg(conv + "[scale_channels]\nfrom=-1\n")),
             Contains("its input must be 1 x 1 x 4"));
}

TEST_CASE("Network: an unsupported layer or activation names its section and line", "[model][unit]") {
  CHECK(build_problem(detector_cfg("[lstm]\n")) == "a.cfg:5: [lstm]: this layer is not supported");
  CHECK(build_problem(detector_cfg("[convolutional]\nfilters=1\nactivation=sigmoid\n")) ==
        "a.cfg:7: [convolutional]: activation: \"sigmoid\" is not supported");
}

TEST_CASE("Network: options that would change the result are refused, not ignored", "[model][unit]") {
  const auto* option = GENERATE("xnor=1", "binary=1", "antialiasing=1", "flipped=1", "share_index=0", "dontload=1");
  CHECK_THAT(build_problem(detector_cfg("[convolutional]\nactivation=linear\n" + std::string(option))),
             Contains("a.cfg:7: [convolutional]: "));
  CHECK_THAT(build_problem(detector_cfg("[maxpool]\nmaxpool_depth=1\n")), Contains("maxpool_depth"));
  CHECK_THAT(build_problem(
                 detector_cfg("[convolutional]\nactivation=linear\n[shortcut]\nfrom=-1\nweights_type=per_feature\n")),
             Contains("weights_type"));
}

TEST_CASE("Network: references to layers that do not exist are refused", "[model][unit]") {
  CHECK_THAT(build_problem(detector_cfg("[route]\nlayers=-1\n")), Contains("layer -1 does not exist"));
  CHECK_THAT(build_problem(detector_cfg("[route]\nlayers=5\n")), Contains("layer 5 does not exist"));
  CHECK_THAT(build_problem(detector_cfg("[route]\nlayers=\n")), Contains("names no layer"));
  CHECK_THAT(build_problem(detector_cfg("[route]\n")), Contains("names no layer"));
  CHECK_THAT(build_problem(detector_cfg("[shortcut]\nfrom=-2147483648\n")), Contains("[shortcut]"));
}

TEST_CASE("Network: shapes that do not fit each other are refused", "[model][unit]") {
  const std::string conv = "[convolutional]\nfilters=4\nactivation=linear\n";
  const std::string half = "[maxpool]\nstride=2\n";
  CHECK_THAT(build_problem(detector_cfg(conv + half + "[route]\nlayers=-1,0\n")), Contains("layers: layer 0 is 8 x 8"));
  CHECK_THAT(build_problem(detector_cfg(conv + half + "[shortcut]\nfrom=-2\n")), Contains("from: layer 0 is 8 x 8"));
  CHECK_THAT(build_problem(detector_cfg("[convolutional]\nfilters=4\ngroups=2\nactivation=linear\n")),
             Contains("groups: 2 does not divide"));
  CHECK_THAT(build_problem(detector_cfg("[convolutional]\nsize=9\nactivation=linear\n")), Contains("does not fit"));
  CHECK_THAT(build_problem(detector_cfg(conv + "[route]\nlayers=0\ngroups=3\n")),
             Contains("groups: 3 does not divide"));
  CHECK_THAT(build_problem(detector_cfg(conv + "[route]\nlayers=0\ngroups=2\ngroup_id=2\n")), Contains("group_id"));
}

TEST_CASE("Network: a head must fit the layer before it, and nothing may be built on it", "[model][unit]") {
  const std::string head = "[yolo]\nclasses=1\nnum=1\nmask=0\nanchors=2,3\n";
  CHECK_THAT(build_problem("[net]\nwidth=8\nheight=8\n" + head),
             Contains("need filters=6 in the layer before, which has 3"));
  CHECK_THAT(build_problem(detector_cfg("") + "[maxpool]\n"), Contains("[maxpool]: follows a head"));
  CHECK_THAT(build_problem(detector_cfg("") + "[route]\nlayers=-1\n"), Contains("layer 1 is a head"));
  CHECK_THAT(build_problem(detector_cfg("") + "[route]\nlayers=0\n[yolo]\nclasses=2\nnum=1\nanchors=1,2\n"),
             Contains("2"));
  CHECK_THAT(build_problem("[net]\nwidth=8\nheight=8\n[convolutional]\nactivation=linear\n"),
             Contains("not a detector"));
}

TEST_CASE("Network: anchors and masks", "[model][unit]") {
  const auto with = [](const std::string& head) {
    return "[net]\nwidth=8\nheight=8\n[convolutional]\nfilters=12\nactivation=linear\n[yolo]\nclasses=1\n" + head;
  };
  const auto network = build(with("num=3\nmask=2,0\nanchors=1,2, 3,4, 5,6\n"));
  REQUIRE(network.ok());
  const auto& yolo = std::get<Yolo>(network->layers.back().kind);
  REQUIRE(yolo.anchors.size() == 2);
  CHECK(yolo.anchors[0].width == 5);
  CHECK(yolo.anchors[1].height == 2);
  CHECK_THAT(build_problem(with("num=3\nmask=3\nanchors=1,2, 3,4, 5,6\n")), Contains("mask: 3 is out of range"));
  CHECK_THAT(build_problem(with("num=3\nmask=1,2\nanchors=1,2\n")), Contains("2 numbers, num=3 needs 6"));
}

TEST_CASE("Network: what NMS compares follows Darknet, not the name", "[model][unit]") {
  const auto kind = [](const std::string& options) {
    const auto network = build(detector_cfg("") + options);
    REQUIRE(network.ok());
    return std::get<Yolo>(network->layers.back().kind);
  };
  CHECK(kind("").nms_kind == NmsKind::kIou);
  CHECK(kind("nms_kind=greedynms\nbeta_nms=0.2\n").nms_kind == NmsKind::kDiou);
  CHECK(kind("nms_kind=greedynms\nbeta_nms=0.2\n").beta_nms == 0.6F);
  CHECK(kind("nms_kind=diounms\nbeta_nms=0.2\n").beta_nms == 0.2F);
}

TEST_CASE("Network: hostile sizes are refused before anything is allocated", "[model][unit]") {
  CHECK_THAT(build_problem("[net]\nwidth=99999999\nheight=1\n"), Contains("out of range"));
  CHECK_THAT(build_problem("[net]\nwidth=16384\nheight=16384\nchannels=64\n"), Contains("too large"));
  CHECK_THAT(build_problem("[net]\nwidth=0\nheight=8\n"), Contains("out of range"));
  CHECK_THAT(build_problem("[net]\nheight=8\n"), Contains("width is missing"));
  CHECK_THAT(build_problem("[yolo]\n"), Contains("the first section must be [net]"));
  std::string growing = "[net]\nwidth=8192\nheight=8192\n[convolutional]\nfilters=65536\nactivation=linear\n";
  CHECK_THAT(build_problem(growing), Contains("too large"));
  std::string doubling;
  for (int i = 0; i < 40; ++i) doubling += "[upsample]\nstride=2\n";
  CHECK_THAT(build_problem(detector_cfg(doubling)), Contains("[upsample]"));
}

TEST_CASE("Network: every published cfg is read or refused in one line", "[model][unit]") {
  const auto data = yolod::tests::test_data();
  if (!data) {
    WARN("SKIPPED: no test data: set YOLOD_TEST_DATA");
    return;
  }
  int read = 0;
  int refused = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*data)) {
    if (entry.path().extension() != ".cfg") continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const auto why = build_problem(text);
    INFO(entry.path() << ": " << why);
    ++(why.empty() ? read : refused);
    if (!why.empty()) CHECK_THAT(why, Contains("a.cfg"));
  }
  CHECK(read >= 40);
  CHECK(refused > 0);
}
