// One parser a section: options to a layer with its output shape. Private to darknet/; network.cpp walks the sections.
#pragma once

#include <string_view>
#include <vector>

#include "model/darknet/network.hpp"

namespace yolod::model::darknet {

struct ParseContext {
  OptionReader& options;  // problems are reported here
  const std::vector<Layer>& previous;
  Shape input;  // the previous layer's output, or the network's input
};

struct ParsedLayer {
  LayerKind kind;
  Shape output;
};

using LayerParser = ParsedLayer (*)(ParseContext&);

// Null for a section that is not served.
[[nodiscard]] LayerParser layer_parser_for(std::string_view section);

// No layer may make more values than this for one image (1 GiB in float): a cfg that asks for more is broken or
// hostile.
inline constexpr std::int64_t kMaxLayerValues = std::int64_t{1} << 28U;
inline constexpr int kMaxInputSide = 16'384;

}  // namespace yolod::model::darknet
