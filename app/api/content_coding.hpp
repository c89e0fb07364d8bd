// The codings of bodies: Content-Encoding and Accept-Encoding. Pure functions; any thread may call them.
#pragma once

#include <optional>
#include <string_view>

namespace yolod::app::api {

enum class ContentCoding { kIdentity, kGzip, kDeflate };

// Returns the name in the header fields, such as "gzip".
[[nodiscard]] std::string_view to_string(ContentCoding coding);

// Returns the coding of a body from its Content-Encoding, or nothing if this server does not know it. An empty value
// means kIdentity.
[[nodiscard]] std::optional<ContentCoding> coding_of(std::string_view content_encoding);

// Returns the coding with the highest weight in Accept-Encoding. If weights are equal, it prefers gzip, then deflate.
// It returns kIdentity if the value is empty or names neither.
[[nodiscard]] ContentCoding preferred_coding(std::string_view accept_encoding);

}  // namespace yolod::app::api
