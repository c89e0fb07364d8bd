// Parses each kind of section: options to a layer with its output shape. Private to darknet/; network.cpp walks the
// sections.
//
// The defaults and rules come from AlexeyAB/darknet, src/parser.c and the make_*_layer() functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/darknet/network.hpp"

namespace yolod::model::darknet {

struct ParseContext {
  OptionReader& options;  // receives the problems
  const std::vector<Layer>& previous;
  Shape input;  // the previous layer's output, or the network's input
  Shape network_input;
};

// The output is valid only if no problem was reported.
struct ParsedLayer {
  LayerKind kind;
  Shape output;
};

using LayerParser = ParsedLayer (*)(ParseContext&);

// Returns null for a section that is not supported.
[[nodiscard]] LayerParser layer_parser_for(std::string_view section, Rules rules);

// Returns why a section has no parser.
[[nodiscard]] std::string why_not_served(std::string_view section, Rules rules);

// The parsers of kUltralytics, in ultralytics_parsers.cpp. The second function returns whether only they can read a
// cfg.
[[nodiscard]] LayerParser ultralytics_parser_for(std::string_view section);
[[nodiscard]] bool is_for_ultralytics_alone(const Cfg& cfg);

// Returns the layers in the list `key` as absolute indices. Without a reported problem the list is not empty.
[[nodiscard]] std::vector<std::size_t> resolve_layers(ParseContext& context, std::string_view key);

// The parsers of the heads, in head_parsers.cpp.
[[nodiscard]] ParsedLayer parse_yolo(ParseContext& context);
[[nodiscard]] ParsedLayer parse_gaussian_yolo(ParseContext& context);
[[nodiscard]] ParsedLayer parse_region(ParseContext& context);
[[nodiscard]] ParsedLayer parse_detection(ParseContext& context);
[[nodiscard]] ParsedLayer parse_softmax(ParseContext& context);

// A layer that needs more values for one image (1 GiB in float) is refused, because such a cfg is broken or hostile.
inline constexpr std::int64_t kMaxLayerValues = std::int64_t{1} << 28U;
inline constexpr int kMaxInputSide = 16'384;
inline constexpr int kMaxClasses = 100'000;
inline constexpr int kMaxFilters = 1 << 16;
inline constexpr int kMaxKernel = 255;
inline constexpr int kMaxStride = 128;
inline constexpr std::size_t kMaxListItems = 256;

// Returns "416 x 416 x 3" (width, height, channels) for messages.
[[nodiscard]] std::string to_string(const Shape& shape);

}  // namespace yolod::model::darknet
