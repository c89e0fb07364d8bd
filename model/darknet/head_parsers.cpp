#include <algorithm>
#include <utility>

#include "common/text.hpp"
#include "model/darknet/layer_parsers.hpp"

namespace yolod::model::darknet {
namespace {

// A mask may select anchors beyond `num`, and the largest published network relies on that.
std::vector<Anchor> read_anchors(OptionReader& options) {
  const int total = options.integer("num", 1, 1, static_cast<int>(kMaxListItems));
  auto values = options.numbers("anchors", 2 * kMaxListItems, 0, 1e6F);
  // Darknet uses this value for a missing number. (One published list lacks a comma, and therefore a number.)
  if (values.size() % 2 == 1) values.push_back(0.5F);
  const int listed = static_cast<int>(values.size() / 2);
  const auto mask = options.integers("mask", kMaxListItems, 0, std::max(total, listed) - 1);
  if (options.error()) return {};
  if (listed < total) {
    options.fail("anchors", std::to_string(values.size()) + " numbers, num=" + std::to_string(total) + " needs " +
                                std::to_string(2 * total));
    return {};
  }
  std::vector<Anchor> anchors;
  if (!options.has("mask")) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(total); ++i)
      anchors.push_back({values[2 * i], values[2 * i + 1]});
  }
  for (const int i : mask) {
    const auto at = 2 * static_cast<std::size_t>(i);
    anchors.push_back({values[at], values[at + 1]});
  }
  if (anchors.empty()) options.fail("mask", "picks no anchor");
  return anchors;
}

// Darknet's "greedynms" is not greedy NMS by IoU, in spite of its name: diounms_sort() compares box_diou(), whose
// exponent is 0.6 whatever beta_nms says. Only this rule reproduces Darknet's lists for the reference networks.
// Darknet treats an unknown kind as "default", which uses IoU.
void read_nms(OptionReader& options, Yolo& layer) {
  const auto beta = options.number("beta_nms", 0.6F, 0, 10);
  const auto kind = options.text("nms_kind", "default");
  if (kind == "diounms" || kind == "greedynms") layer.nms_kind = heads::Overlap::kDiou;
  if (kind == "diounms") layer.beta_nms = beta;
}

// Returns a head with `layer`'s anchors and classes on the context's map, if the sizes match.
ParsedLayer on_map(ParseContext& context, Yolo layer) {
  if (context.options.error()) return {std::move(layer), {}};
  const auto needed = static_cast<std::int64_t>(layer.anchors.size()) * layer.row_length();
  if (context.input.channels != needed) {
    context.options.fail(std::to_string(layer.anchors.size()) + " anchors and " + std::to_string(layer.classes) +
                         " classes need filters=" + std::to_string(needed) + " in the layer before, which has " +
                         std::to_string(context.input.channels));
  }
  return {std::move(layer), context.input};
}

}  // namespace

ParsedLayer parse_yolo(ParseContext& context) {
  auto& options = context.options;
  Yolo layer;
  layer.classes = options.integer("classes", 20, 1, kMaxClasses);
  layer.anchors = read_anchors(options);
  layer.scale_x_y = options.number("scale_x_y", 1, 0.1F, 10);
  layer.new_coords = options.flag("new_coords", false);
  read_nms(options, layer);
  return on_map(context, std::move(layer));
}

ParsedLayer parse_gaussian_yolo(ParseContext& context) {
  auto& options = context.options;
  Yolo layer;
  layer.gaussian = true;
  layer.classes = options.integer("classes", 20, 1, kMaxClasses);
  layer.anchors = read_anchors(options);
  layer.scale_x_y = options.number("scale_x_y", 1, 0.1F, 10);
  // As in Darknet, every other word means the centre.
  const auto point = options.text("yolo_point", "center");
  if (point == "left_top") layer.point = BoxPoint::kLeftTop;
  if (point == "right_bottom") layer.point = BoxPoint::kRightBottom;
  if (options.text("nms_kind", "default") == "cornersnms")
    options.fail("nms_kind", "cornersnms is not supported, default, greedynms and diounms are");
  read_nms(options, layer);
  return on_map(context, std::move(layer));
}

ParsedLayer parse_region(ParseContext& context) {
  auto& options = context.options;
  Yolo layer;
  layer.classes = options.integer("classes", 20, 1, kMaxClasses);
  layer.anchors = read_anchors(options);
  // Without softmax AlexeyAB's program leaves class scores unchanged on the CPU; pjreddie's program applies the
  // logistic function.
  layer.scores = options.flag("softmax", false) ? ClassScores::kSoftmax : ClassScores::kLogistic;
  if (options.has("tree")) options.fail("tree", "hierarchies of classes (YOLO9000) are not supported");
  options.refuse_if_set("background");
  if (options.integer("coords", 4, 0, kMaxClasses) != 4) options.fail("coords", "only 4 are supported");
  if (options.error()) return {std::move(layer), {}};
  // The cfg gives anchors in cells.
  for (auto& anchor : layer.anchors) {
    anchor.width *= static_cast<float>(context.network_input.width) / static_cast<float>(context.input.width);
    anchor.height *= static_cast<float>(context.network_input.height) / static_cast<float>(context.input.height);
  }
  return on_map(context, std::move(layer));
}

ParsedLayer parse_detection(ParseContext& context) {
  constexpr int kMaxSide = 1'024;
  auto& options = context.options;
  Detection layer;
  layer.classes = options.integer("classes", 1, 1, kMaxClasses);
  layer.boxes = options.integer("num", 1, 1, static_cast<int>(kMaxListItems));
  layer.side = options.integer("side", 7, 1, kMaxSide);
  layer.softmax = options.flag("softmax", false);
  layer.square = options.flag("sqrt", false);
  if (options.integer("coords", 1, 0, kMaxClasses) != 4) options.fail("coords", "only 4 are supported");
  if (options.error()) return {layer, {}};
  const auto cells = static_cast<std::int64_t>(layer.side) * layer.side;
  const auto needed = cells * (5 * static_cast<std::int64_t>(layer.boxes) + layer.classes);
  if (context.input.count() != needed) {
    options.fail("side=" + std::to_string(layer.side) + ", num=" + std::to_string(layer.boxes) + " and " +
                 std::to_string(layer.classes) + " classes need " + std::to_string(needed) +
                 " values from the layer before, which makes " + std::to_string(context.input.count()));
  }
  return {layer, context.input};
}

ParsedLayer parse_softmax(ParseContext& context) {
  auto& options = context.options;
  Softmax layer;
  layer.groups = options.integer("groups", 1, 1, kMaxClasses);
  layer.temperature = options.number("temperature", 1, 1e-3F, 1e6F);
  options.refuse_if_set("spatial");
  if (options.has("tree")) options.fail("tree", "hierarchies of classes (darknet9000) are not supported");
  if (options.error()) return {layer, {}};
  const auto& input = context.input;
  if (input.height != 1 || input.width != 1) {
    options.fail("its input is a map of " + to_string(input) + ", but only a vector of classes is supported");
  } else if (input.channels > kMaxClasses) {
    options.fail(std::to_string(input.channels) + " classes, at most " + std::to_string(kMaxClasses) + " are allowed");
  } else if (input.channels % layer.groups != 0) {
    options.fail("groups", std::to_string(layer.groups) + " does not divide the " + std::to_string(input.channels) +
                               " values before it");
  }
  return {layer, input};
}

}  // namespace yolod::model::darknet
