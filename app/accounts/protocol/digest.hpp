// A Digest is the SHA-256 of an API key, a session token or an invitation. The database and the front-end's table
// have only digests, so their content is of no use to a thief.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace yolod::app::accounts::protocol {

inline constexpr std::size_t kDigestBytes = 32;
using Digest = std::array<std::uint8_t, kDigestBytes>;

[[nodiscard]] Digest digest_of(std::string_view token);

// Compares in a time that does not depend on the bytes.
[[nodiscard]] bool same_digest(const Digest& a, const Digest& b);

// Converts to 64 lower-case hexadecimal digits and back. The conversion back refuses every other text.
[[nodiscard]] std::string to_hex(const Digest& digest);
[[nodiscard]] std::optional<Digest> digest_from_hex(std::string_view text);

// For hash tables: a digest is as random as a hash can be. No client can choose one, since it is a SHA-256.
struct DigestHash {
  std::size_t operator()(const Digest& digest) const {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
  }
};
struct DigestEqual {
  bool operator()(const Digest& a, const Digest& b) const { return same_digest(a, b); }
};

}  // namespace yolod::app::accounts::protocol
