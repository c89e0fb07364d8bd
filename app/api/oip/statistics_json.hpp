// Writes a model's statistics as Triton's statistics extension defines them. Any thread may call it.
#pragma once

#include <cstdint>
#include <string_view>

#include "app/http/text_buffer.hpp"
#include "app/observe/model_statistics.hpp"

namespace yolod::app::api::oip {

// Appends an object, which is an element of "model_stats".
void append_statistics(http::TextBuffer& out, std::string_view model, std::uint64_t generation,
                       const observe::ModelStatistics& statistics);

}  // namespace yolod::app::api::oip
