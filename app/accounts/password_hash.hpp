// These functions hash passwords with Argon2id of libsodium. A call takes about 15 ms and 19 MiB, so only the hashing
// thread calls them.
#pragma once

#include <string>
#include <string_view>

namespace yolod::app::accounts {

// OWASP recommends 19 MiB, two passes and a single lane.
struct HashCost {
  unsigned long long passes{2};
  std::size_t bytes{19 * 1024 * 1024};
};

#ifdef YOLOD_FAULT_POINTS
// Sets the cost of all later hashes. Call it before the first hash. Only builds for tests have it.
void set_hash_cost(const HashCost& cost);
#endif

// Returns libsodium's string, which has the parameters and the salt. The string is empty if memory runs out.
[[nodiscard]] std::string hash_password(std::string_view password);

// `hash` may be any text. The function refuses a hash with far more memory or passes than its own hashes have.
[[nodiscard]] bool password_matches(std::string_view password, const std::string& hash);

// Takes as long as password_matches() and never matches. It is for a person who does not exist.
void verify_dummy(std::string_view password);

// Returns whether the hash has less memory or fewer passes than today's hashes.
[[nodiscard]] bool needs_rehash(const std::string& hash);

}  // namespace yolod::app::accounts
