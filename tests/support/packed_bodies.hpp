// Compresses and decompresses bodies as HTTP's codings gzip and deflate do.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace yolod::tests {

[[nodiscard]] std::string gzipped(std::string_view bytes);
[[nodiscard]] std::string deflated(std::string_view bytes);

// Returns the bytes of a gzip member or zlib stream, or nothing if it is neither or has more than `most_bytes`.
[[nodiscard]] std::optional<std::string> unpacked(std::string_view packed, std::size_t most_bytes = 1U << 24U);

}  // namespace yolod::tests
