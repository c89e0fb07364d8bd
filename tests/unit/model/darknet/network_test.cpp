#include "model/darknet/network.hpp"

#include <catch2/catch.hpp>

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

TEST_CASE("Network: the smallest detector has the expected shapes", "[model][unit]") {
  const auto network = build(detector_cfg(""));
  REQUIRE(network.ok());
  CHECK(network->input == Shape{3, 8, 8});
  CHECK(network->classes == 1);
  CHECK_FALSE(network->letter_box);
  CHECK(network->layers.size() == 2);
  CHECK(candidate_count(*network) == 64);
  CHECK(yolod::model::darknet::heads(*network).size() == 1);
}

TEST_CASE("Network: an input size from the config replaces the size in the cfg", "[model][unit]") {
  const auto network = build(detector_cfg(""), yolod::common::InputSize{4, 6});
  REQUIRE(network.ok());
  CHECK(network->input == Shape{3, 4, 6});
  CHECK(candidate_count(*network) == 24);
  CHECK_FALSE(build(detector_cfg(""), yolod::common::InputSize{0, 6}).ok());
  CHECK_FALSE(build(detector_cfg(""), yolod::common::InputSize{1U << 31U, 6}).ok());
}

TEST_CASE("Network: convolutions have the expected shapes", "[model][unit]") {
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

TEST_CASE("Network: max-pooling pads by size - 1 in total by default", "[model][unit]") {
  CHECK(first_output("[maxpool]\nsize=2\nstride=2") == Shape{3, 4, 4});
  CHECK(first_output("[maxpool]\nsize=2\nstride=1") == Shape{3, 8, 8});
  CHECK(first_output("[maxpool]\nsize=3\nstride=2") == Shape{3, 4, 4});
  CHECK(first_output("[maxpool]\nsize=5\nstride=1") == Shape{3, 8, 8});
  CHECK(first_output("[maxpool]\nsize=2\nstride=2\npadding=0") == Shape{3, 4, 4});
  CHECK(first_output("[maxpool]\nstride=2") == Shape{3, 4, 4});  // the size follows the stride
}

TEST_CASE("Network: route, upsample, avgpool and dropout have the expected shapes", "[model][unit]") {
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

TEST_CASE("Network: scale_channels takes the map of `from` and one value for each channel", "[model][unit]") {
  const std::string conv = "[convolutional]\nfilters=4\nactivation=linear\n";
  const auto network = build(detector_cfg(conv + "[avgpool]\n[scale_channels]\nfrom=-2\n"));
  REQUIRE(network.ok());
  CHECK(network->layers[2].output == Shape{4, 8, 8});
  CHECK_THAT(build_problem(detector_cfg(conv + "[scale_channels]\nfrom=-1\n")),
             Contains("its input must be 1 x 1 x 4"));
}

TEST_CASE("Network: the error for an unsupported layer or activation names its section and line", "[model][unit]") {
  CHECK(build_problem(detector_cfg("[lstm]\n")) == "a.cfg:5: [lstm]: recurrent networks are not supported");
  CHECK(build_problem(detector_cfg("[implicit]\n")) == "a.cfg:5: [implicit]: this layer is not supported");
  CHECK(build_problem(detector_cfg("[convolutional]\nfilters=1\nactivation=sigmoid\n")) ==
        "a.cfg:7: [convolutional]: activation: \"sigmoid\" is not supported");
}

TEST_CASE("Network: options that would change the result are refused, not ignored", "[model][unit]") {
  const auto* option = GENERATE("xnor=1", "binary=1", "bin_output=1", "coordconv=1", "dontload=1", "dontloadscales=1");
  CHECK_THAT(build_problem(detector_cfg("[convolutional]\nactivation=linear\n" + std::string(option))),
             Contains("a.cfg:7: [convolutional]: "));
  CHECK_THAT(build_problem(detector_cfg("[maxpool]\nmaxpool_zero_nonmax=1\n")), Contains("maxpool_zero_nonmax"));
  CHECK_THAT(build_problem(detector_cfg("[reorg]\nextra=1\n")), Contains("extra"));
  const std::string shortcut = "[convolutional]\nactivation=linear\n[shortcut]\nfrom=-1\n";
  CHECK_THAT(build_problem(detector_cfg(shortcut + "weights_type=per_place\n")),
             Contains("weights_type: \"per_place\": none, per_feature or per_channel is allowed"));
  CHECK_THAT(build_problem(detector_cfg(shortcut + "weights_normalization=tanh\n")), Contains("weights_normalization"));
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
  CHECK_THAT(build_problem(detector_cfg(conv + half + "[route]\nlayers=0\n[shortcut]\nfrom=1\n")),
             Contains("from: layer 1 is 4 x 4"));
  CHECK_THAT(build_problem(detector_cfg(conv + half + "[shortcut]\nfrom=0\nweights_type=per_feature\n")),
             Contains("from: layer 0 is 8 x 8"));
  CHECK_THAT(build_problem(detector_cfg("[convolutional]\nfilters=4\ngroups=2\nactivation=linear\n")),
             Contains("groups: 2 does not divide"));
  CHECK_THAT(build_problem(detector_cfg("[convolutional]\nsize=9\nactivation=linear\n")), Contains("does not fit"));
  CHECK_THAT(build_problem(detector_cfg(conv + "[route]\nlayers=0\ngroups=3\n")),
             Contains("groups: 3 does not divide"));
  CHECK_THAT(build_problem(detector_cfg(conv + "[route]\nlayers=0\ngroups=2\ngroup_id=2\n")), Contains("group_id"));
}

TEST_CASE("Network: a head must fit the layer before it, and no layer may use the head as its input", "[model][unit]") {
  const std::string head = "[yolo]\nclasses=1\nnum=1\nmask=0\nanchors=2,3\n";
  CHECK_THAT(build_problem("[net]\nwidth=8\nheight=8\n" + head),
             Contains("need filters=6 in the layer before, which has 3"));
  CHECK_THAT(build_problem(detector_cfg("") + "[maxpool]\n"), Contains("[maxpool]: follows a head"));
  CHECK_THAT(build_problem(detector_cfg("") + "[route]\nlayers=-1\n"), Contains("layer 1 is a head"));
  CHECK_THAT(build_problem(detector_cfg("") + "[route]\nlayers=0\n[yolo]\nclasses=2\nnum=1\nanchors=1,2\n"),
             Contains("2"));
}

TEST_CASE("Network: masks select anchors, and wrong anchors or masks are refused", "[model][unit]") {
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

TEST_CASE("Network: what NMS compares follows Darknet's behaviour, not the name of the option", "[model][unit]") {
  const auto kind = [](const std::string& options) {
    const auto network = build(detector_cfg("") + options);
    REQUIRE(network.ok());
    return std::get<Yolo>(network->layers.back().kind);
  };
  CHECK(kind("").nms_kind == yolod::model::heads::Overlap::kIou);
  CHECK(kind("nms_kind=greedynms\nbeta_nms=0.2\n").nms_kind == yolod::model::heads::Overlap::kDiou);
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

TEST_CASE("Network: local average pooling, depth pooling, reorg, crop and blurs have Darknet's shapes",
          "[model][unit]") {
  CHECK(first_output("[local_avgpool]\nsize=4\nstride=4") == Shape{3, 2, 2});
  CHECK(first_output("[local_avgpool]\nstride=3") == Shape{3, 3, 3});
  CHECK(first_output("[maxpool]\nmaxpool_depth=1\nout_channels=1") == Shape{1, 8, 8});
  CHECK(first_output("[reorg3d]\nstride=2") == Shape{12, 4, 4});
  CHECK(first_output("[crop]\ncrop_height=6\ncrop_width=4") == Shape{3, 6, 4});
  CHECK(first_output("[maxpool]\nsize=2\nstride=2\nantialiasing=1") == Shape{3, 4, 4});
  CHECK(first_output("[convolutional]\nfilters=4\nsize=3\npad=1\nstride=2\nantialiasing=2\nactivation=relu") ==
        Shape{4, 4, 4});
  CHECK(first_output("[connected]\noutput=7\nactivation=linear") == Shape{7, 1, 1});
  CHECK(first_output("[local]\nfilters=4\nsize=3\nstride=2\npad=1\nactivation=linear") == Shape{4, 4, 4});
  CHECK(first_output("[local]\nfilters=4\nsize=3\nactivation=linear") == Shape{4, 6, 6});
  for (const auto* nothing : {"[cost]", "[dropout]", "[contrastive]", "[empty]", "[activation]\nactivation=relu"})
    CHECK(first_output(nothing) == Shape{3, 8, 8});
}

TEST_CASE("Network: reorg needs sides and channels that its stride divides", "[model][unit]") {
  CHECK_THAT(build_problem(detector_cfg("[reorg]\nstride=2\n")), Contains("does not divide the channels"));
  CHECK_THAT(build_problem(detector_cfg("[reorg3d]\nstride=3\n")), Contains("does not divide the sides"));
  CHECK_THAT(build_problem(detector_cfg("[reorg3d]\nstride=2\nreverse=1\n")), Contains("does not divide"));
  const std::string four = "[convolutional]\nfilters=4\nactivation=linear\n";
  const auto network = build(detector_cfg(four + "[reorg]\nstride=2\n"));
  REQUIRE(network.ok());
  CHECK(network->layers[1].output == Shape{16, 4, 4});
}

TEST_CASE("Network: shared weights must belong to another convolution of the same size", "[model][unit]") {
  const std::string first = "[convolutional]\nfilters=3\nactivation=linear\n";
  const auto network = build(detector_cfg(first + first + "share_index=0\n" + first + "share_index=-1\n"));
  REQUIRE(network.ok());
  // share_index may name a layer that itself shares weights. shared_from is the layer that owns the weights.
  CHECK(std::get<Convolutional>(network->layers[2].kind).shared_from == std::size_t{0});
  CHECK_THAT(build_problem(detector_cfg(first + "[convolutional]\nfilters=4\nactivation=linear\nshare_index=0\n")),
             Contains("share_index: layer 0 is no convolution with weights of the same size"));
  CHECK_THAT(build_problem(detector_cfg("[maxpool]\n" + first + "share_index=0\n")), Contains("share_index"));
  CHECK_THAT(build_problem(detector_cfg(first + "share_index=0\n")), Contains("does not exist"));
}

TEST_CASE("Network: a classifier ends with a softmax over a vector", "[model][unit]") {
  const std::string start = "[net]\nwidth=8\nheight=8\n[convolutional]\nfilters=6\nactivation=linear\n";
  const auto network = build(start + "[avgpool]\n[softmax]\ngroups=2\n[cost]\ntype=sse\n");
  INFO((network ? std::string() : network.error().message));
  REQUIRE(network.ok());
  CHECK(network->head == yolod::model::HeadKind::kClasses);
  CHECK(network->classes == 6);
  CHECK(candidate_count(*network) == 1);
  CHECK_THAT(build_problem(start + "[softmax]\n"), Contains("its input is a map of 8 x 8 x 6"));
  CHECK_THAT(build_problem(start + "[avgpool]\n[softmax]\ngroups=4\n"), Contains("groups: 4 does not divide"));
  CHECK_THAT(build_problem(start + "[avgpool]\n[softmax]\ntree=9k.tree\n"), Contains("tree: hierarchies"));
  CHECK_THAT(build_problem(start + "[avgpool]\n[softmax]\n[maxpool]\n"), Contains("[maxpool]: follows a head"));
  CHECK_THAT(build_problem(detector_cfg("") + "[route]\nlayers=0\n[avgpool]\n[softmax]\n"),
             Contains("a second head of another kind"));
}

TEST_CASE("Network: region anchors are in cells, and a class tree is refused", "[model][unit]") {
  const std::string start =
      "[net]\nwidth=8\nheight=16\n[maxpool]\nstride=4\n[convolutional]\nfilters=12\nactivation=linear\n";
  const std::string head = "[region]\nclasses=1\nnum=2\nanchors=1,2, 3,0.5\n";
  const auto network = build(start + head + "softmax=1\n");
  REQUIRE(network.ok());
  const auto& region = std::get<Yolo>(network->layers.back().kind);
  CHECK(region.scores == ClassScores::kSoftmax);
  CHECK(region.anchors[0].width == 4);
  CHECK(region.anchors[1].height == 2);
  CHECK(nms_settings(*network).kind == yolod::model::heads::Overlap::kIou);
  CHECK_THAT(build_problem(start + head + "tree=9k.tree\n"), Contains("tree: hierarchies"));
  CHECK_THAT(build_problem(start + head + "coords=5\n"), Contains("coords"));
  CHECK_THAT(build_problem(start + head + "background=1\n"), Contains("background"));
}

TEST_CASE("Network: a Gaussian head needs four more values for each anchor", "[model][unit]") {
  const auto with = [](int filters, const std::string& options) {
    return "[net]\nwidth=8\nheight=8\n[convolutional]\nfilters=" + std::to_string(filters) +
           "\nactivation=linear\n[Gaussian_yolo]\nclasses=1\nnum=1\nanchors=2,3\n" + options;
  };
  const auto network = build(with(10, "yolo_point=left_top\nnms_kind=diounms\nbeta_nms=0.3\n"));
  REQUIRE(network.ok());
  CHECK(std::get<Yolo>(network->layers.back().kind).point == BoxPoint::kLeftTop);
  CHECK(nms_settings(*network).beta == 0.3F);
  CHECK_THAT(build_problem(with(6, "")), Contains("need filters=10"));
  CHECK_THAT(build_problem(with(10, "nms_kind=cornersnms\n")), Contains("nms_kind: cornersnms is not supported"));
}

TEST_CASE("Network: YOLOv1's head takes a vector that fits its cells", "[model][unit]") {
  const auto with = [](int outputs, const std::string& options) {
    return "[net]\nwidth=8\nheight=8\n[connected]\nactivation=linear\noutput=" + std::to_string(outputs) +
           "\n[detection]\nside=2\nnum=3\nclasses=4\n" + options;
  };
  const auto network = build(with(76, "coords=4\n"));
  INFO((network ? std::string() : network.error().message));
  REQUIRE(network.ok());
  CHECK(candidate_count(*network) == 12);
  CHECK(network->classes == 4);
  CHECK_THAT(build_problem(with(75, "coords=4\n")), Contains("need 76 values"));
  CHECK_THAT(build_problem(with(76, "")), Contains("coords"));
}

TEST_CASE("Network: an anchor list may hold more than num, and lack its last number", "[model][unit]") {
  const auto with = [](const std::string& head) {
    return "[net]\nwidth=8\nheight=8\n[convolutional]\nfilters=6\nactivation=linear\n[yolo]\nclasses=1\n" + head;
  };
  const auto more = build(with("num=1\nmask=1\nanchors=1,2, 3,4\n"));
  REQUIRE(more.ok());
  CHECK(std::get<Yolo>(more->layers.back().kind).anchors.front().width == 3);
  const auto less = build(with("num=2\nmask=1\nanchors=1,2, 3\n"));
  REQUIRE(less.ok());
  CHECK(std::get<Yolo>(less->layers.back().kind).anchors.front().height == 0.5F);
}

TEST_CASE("Network: a layer that does nothing may follow a head, but no layer may use a head as its input",
          "[model][unit]") {
  const auto tail = detector_cfg("") + "[contrastive]\nyolo_layer=-1\n";
  CHECK(build(tail).ok());
  CHECK_THAT(build_problem(tail + "[route]\nlayers=2\n"), Contains("layer 2 is a head"));
  CHECK_THAT(build_problem(tail + "[maxpool]\n"), Contains("follows a head"));
}

TEST_CASE("Network: networks on plain vectors and recurrent networks are refused", "[model][unit]") {
  CHECK(
      build_problem("[net]\ninputs=256\n[connected]\n") ==
      "a.cfg:2: [net]: inputs: networks on plain vectors (characters, for one) are not supported, those on images are");
  CHECK_THAT(build_problem("[net]\nwidth=8\nheight=8\ntime_steps=3\n"), Contains("recurrent"));
}

TEST_CASE("Network: more weights than any file has are refused", "[model][unit]") {
  CHECK_THAT(
      build_problem("[net]\nwidth=2048\nheight=2048\nchannels=64\n[connected]\noutput=65536\nactivation=linear\n"),
      Contains("weights are too many"));
  CHECK_THAT(build_problem("[net]\nwidth=16000\nheight=64\nchannels=64\n"
                           "[convolutional]\nsize=1\nfilters=1\nactivation=linear\n"
                           "[local]\nfilters=256\nsize=255\npad=127\nactivation=linear\n"),
             Contains("weights are too many"));
}

TEST_CASE("Network: a network without a head can be described, and the description says that it has no answers",
          "[model][unit]") {
  const auto network = build("[net]\nwidth=8\nheight=8\n[convolutional]\nactivation=linear\n");
  REQUIRE(network.ok());
  CHECK(candidate_count(*network) == 0);
  const auto missing = missing_head(*network);
  REQUIRE(missing);
  CHECK_THAT(missing->message, Contains("a.cfg: no [yolo]") && Contains("neither a detector nor a classifier"));
  CHECK_FALSE(missing_head(*build(detector_cfg(""))));
}

TEST_CASE("Network: the warning about an unknown key names its section, its line and the nearest key",
          "[model][unit]") {
  const auto network = build(
      "[net]\nwidth=8\nheight=8\nchanels=1\nlearning_rate=0.1\n"
      "[convolutional]\nfilters=6\npading=1\nactivation=linear\nstopbackward=1\n"
      "[yolo]\nclasses=1\nnum=1\nanchors=2,3\nignore_tresh=.5\nignore_thresh=.5\n");
  REQUIRE(network.ok());
  CHECK(network->input.channels == 3);
  CHECK(network->warnings ==
        std::vector<std::string>{
            "a.cfg:4: [net]: chanels is not known and is passed over, did you mean channels?",
            "a.cfg:8: [convolutional]: pading is not known and is passed over, did you mean padding?",
            "a.cfg:15: [yolo]: ignore_tresh is not known and is passed over, did you mean ignore_thresh?"});
}

TEST_CASE("Network: the number of warnings is limited", "[model][unit]") {
  std::string text = "[net]\nwidth=8\nheight=8\n";
  for (int i = 0; i < 200; ++i) text += std::string(5000, 'x') + std::to_string(i) + "=1\n";
  const auto network = build(text);
  REQUIRE(network.ok());
  CHECK(network->warnings.size() == kMaxCfgWarnings);
  for (const auto& warning : network->warnings) CHECK(warning.size() < 200);
}
