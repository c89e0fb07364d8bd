// Emits the source of heads. Private to darknet/; compiler.cpp emits all other layers.
#pragma once

#include <string>

#include "model/darknet/network.hpp"
#include "model/darknet/source_builder.hpp"

namespace yolod::model::darknet {

// Each function appends the statements that compute the value `head` from the value `input`, for the layer with
// number `index`. The head is float in every precision of the network: [n, candidates, 5 + classes], or [n, classes]
// for a softmax.
void compile_head(SourceBuilder& source, const std::string& head, const std::string& input, std::size_t index,
                  const Layer& layer, const Yolo& yolo, const Shape& network_input);
void compile_head(SourceBuilder& source, const std::string& head, const std::string& input, std::size_t index,
                  const Layer& layer, const Detection& detection, const Shape& network_input);
void compile_head(SourceBuilder& source, const std::string& head, const std::string& input, std::size_t index,
                  const Layer& layer, const Softmax& softmax, const Shape& network_input);

}  // namespace yolod::model::darknet
