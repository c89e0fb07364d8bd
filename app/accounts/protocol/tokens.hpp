// These functions make API keys, session tokens, invitations and passwords. All of them are random and say nothing
// about their owner.
//
//   API key     yld_ + 30 base62 characters + 6 base62 characters of their CRC-32 (zlib's), most significant first
//   session     43 characters of base64url: 256 bits
//   invitation  yli_ + 30 base62 characters + 6 of their CRC-32
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "app/accounts/protocol/secret.hpp"

namespace yolod::app::accounts::protocol {

inline constexpr std::string_view kKeyPrefix = "yld_";
inline constexpr std::string_view kInvitePrefix = "yli_";
inline constexpr std::size_t kRandomCharacters = 30;
inline constexpr std::size_t kCheckCharacters = 6;
inline constexpr std::size_t kKeyBytes = 4 + kRandomCharacters + kCheckCharacters;
inline constexpr std::size_t kSessionBytes = 43;

[[nodiscard]] Secret make_api_key();
[[nodiscard]] Secret make_session_token();
[[nodiscard]] Secret make_invite();
// Returns 20 base62 characters.
[[nodiscard]] Secret make_password();

// Checks the form of a text, with its checksum. So a caller detects a mistyped key without a table.
[[nodiscard]] bool is_api_key(std::string_view text);
[[nodiscard]] bool is_invite(std::string_view text);
[[nodiscard]] bool is_session_token(std::string_view text);

// Returns the CRC-32 of `text` as six base62 digits.
[[nodiscard]] std::array<char, kCheckCharacters> check_characters(std::string_view text);

}  // namespace yolod::app::accounts::protocol
