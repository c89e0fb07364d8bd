// Writes bytes as base64 (RFC 4648, section 4). Any thread may call it.
#pragma once

#include <cstddef>
#include <span>

#include "app/http/text_buffer.hpp"

namespace yolod::app::api::deepstack {

// Every piece of a longer text but the last has a whole number of this many bytes, so that the pieces join.
inline constexpr std::size_t kBase64Group = 3;

void append_base64(http::TextBuffer& out, std::span<const std::byte> bytes);

}  // namespace yolod::app::api::deepstack
