// The source of heads. Private to darknet/; compiler.cpp does all other layers.
#pragma once

#include <string>

#include "model/darknet/network.hpp"
#include "model/darknet/source_builder.hpp"

namespace yolod::model::darknet {

// Each appends the statements that make the value `head` of the value `input`, for a layer with number `index`. It is
// float, whatever the network runs in: [n, candidates, 5 + classes], or [n, classes] for a softmax.
void compile_head(SourceBuilder& source, const std::string& head, const std::string& input, std::size_t index,
                  const Layer& layer, const Yolo& yolo, const Shape& network_input);
void compile_head(SourceBuilder& source, const std::string& head, const std::string& input, std::size_t index,
                  const Layer& layer, const Detection& detection, const Shape& network_input);
void compile_head(SourceBuilder& source, const std::string& head, const std::string& input, std::size_t index,
                  const Layer& layer, const Softmax& softmax, const Shape& network_input);

}  // namespace yolod::model::darknet
