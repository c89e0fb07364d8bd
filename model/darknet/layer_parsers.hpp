// One parser a section: options to a layer with its output shape. Private to darknet/; network.cpp walks the sections.
//
// The defaults and rules are those of AlexeyAB/darknet, src/parser.c and the make_*_layer() functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/darknet/network.hpp"

namespace yolod::model::darknet {

struct ParseContext {
  OptionReader& options;  // problems are reported here
  const std::vector<Layer>& previous;
  Shape input;  // the previous layer's output, or the network's input
  Shape network_input;
};

// The output matters only where no problem was reported.
struct ParsedLayer {
  LayerKind kind;
  Shape output;
};

using LayerParser = ParsedLayer (*)(ParseContext&);

// Null for a section that is not served.
[[nodiscard]] LayerParser layer_parser_for(std::string_view section, Rules rules);

// Why a section without a parser has none.
[[nodiscard]] std::string why_not_served(std::string_view section, Rules rules);

// Those of kUltralytics, in ultralytics_parsers.cpp; and whether a cfg has anything that only these can read.
[[nodiscard]] LayerParser ultralytics_parser_for(std::string_view section);
[[nodiscard]] bool is_for_ultralytics_alone(const Cfg& cfg);

// The layers that the list `key` names, as absolute indices. Never empty where no problem is reported.
[[nodiscard]] std::vector<std::size_t> resolve_layers(ParseContext& context, std::string_view key);

// Those of the heads, in head_parsers.cpp.
[[nodiscard]] ParsedLayer parse_yolo(ParseContext& context);
[[nodiscard]] ParsedLayer parse_gaussian_yolo(ParseContext& context);
[[nodiscard]] ParsedLayer parse_region(ParseContext& context);
[[nodiscard]] ParsedLayer parse_detection(ParseContext& context);
[[nodiscard]] ParsedLayer parse_softmax(ParseContext& context);

// No layer may make more values than this for one image (1 GiB in float): a cfg that asks for more is broken or
// hostile.
inline constexpr std::int64_t kMaxLayerValues = std::int64_t{1} << 28U;
inline constexpr int kMaxInputSide = 16'384;
inline constexpr int kMaxClasses = 100'000;
inline constexpr int kMaxFilters = 1 << 16;
inline constexpr int kMaxKernel = 255;
inline constexpr int kMaxStride = 128;
inline constexpr std::size_t kMaxListItems = 256;

// "416 x 416 x 3": width, height, channels, as messages say it.
[[nodiscard]] std::string to_string(const Shape& shape);

}  // namespace yolod::model::darknet
