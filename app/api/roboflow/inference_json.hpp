// Writes objects as Roboflow's inference server does. A box is its centre and its size in pixels of the picture. These
// functions run on the only thread of the front-end.
#pragma once

#include <cstdint>
#include <string_view>

#include "app/http/text_buffer.hpp"
#include "common/domain/prediction.hpp"

namespace yolod::app::api::roboflow {

// Begins the answer for one picture, up to the list of its objects.
void begin_inference(http::TextBuffer& out, const common::DetectionList& list, std::uint32_t total_us);
void append_object(http::TextBuffer& out, const common::Detection& detection, std::string_view label);
void end_inference(http::TextBuffer& out);

}  // namespace yolod::app::api::roboflow
