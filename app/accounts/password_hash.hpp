// Argon2id, by libsodium. Each call takes some 15 ms and 19 MiB: for the hashing thread alone.
#pragma once

#include <string>
#include <string_view>

namespace yolod::app::accounts {

// OWASP's: 19 MiB, two passes, one lane.
inline constexpr unsigned long long kHashPasses = 2;
inline constexpr std::size_t kHashBytes = 19 * 1024 * 1024;

// libsodium's string, which names its parameters and its salt. Empty if memory runs out.
[[nodiscard]] std::string hash_password(std::string_view password);

// `hash` may be anything: one that asks for far more memory or passes than ours is refused and not computed.
[[nodiscard]] bool password_matches(std::string_view password, const std::string& hash);

// Takes as long as password_matches() and never matches: of a person who does not exist.
void verify_dummy(std::string_view password);

// Whether it was made with less memory or fewer passes than today's.
[[nodiscard]] bool needs_rehash(const std::string& hash);

}  // namespace yolod::app::accounts
