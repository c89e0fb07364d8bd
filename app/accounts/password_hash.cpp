#include "app/accounts/password_hash.hpp"

#include <sodium.h>

#include <array>
#include <cstdio>
#include <optional>

namespace yolod::app::accounts {
namespace {

#ifdef YOLOD_FAULT_POINTS
HashCost own_cost;
#else
constexpr HashCost own_cost{};
#endif

struct StoredCost {
  unsigned long long kibibytes{0};
  unsigned long long passes{0};
};

std::optional<StoredCost> cost_of(const std::string& hash) {
  StoredCost cost;
  unsigned lanes = 0;
  if (std::sscanf(hash.c_str(), "$argon2id$v=19$m=%10llu,t=%10llu,p=%4u$", &cost.kibibytes, &cost.passes, &lanes) !=
      3) {
    return std::nullopt;
  }
  return cost;
}

constexpr unsigned long long kBytesInKibibyte = 1024;
constexpr unsigned long long kMostKibibytes = 256 * kBytesInKibibyte;
constexpr unsigned long long kMostPasses = 16;

}  // namespace

#ifdef YOLOD_FAULT_POINTS
void set_hash_cost(const HashCost& cost) { own_cost = cost; }
#endif

std::string hash_password(std::string_view password) {
  std::array<char, crypto_pwhash_STRBYTES> text{};
  if (crypto_pwhash_str_alg(text.data(), password.data(), password.size(), own_cost.passes, own_cost.bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return {};
  }
  return text.data();
}

bool password_matches(std::string_view password, const std::string& hash) {
  const auto cost = cost_of(hash);
  if (!cost || cost->kibibytes > kMostKibibytes || cost->passes > kMostPasses ||
      hash.size() >= crypto_pwhash_STRBYTES) {
    verify_dummy(password);
    return false;
  }
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

void verify_dummy(std::string_view password) {
  // The hash of random bytes makes the computation the same as for a known person.
  static const std::string hash = [] {
    std::array<char, 32> nobody_knows{};
    randombytes_buf(nobody_knows.data(), nobody_knows.size());
    return hash_password({nobody_knows.data(), nobody_knows.size()});
  }();
  [[maybe_unused]] const int never = crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size());
}

bool needs_rehash(const std::string& hash) {
  const auto cost = cost_of(hash);
  return !cost || cost->kibibytes * kBytesInKibibyte < own_cost.bytes || cost->passes < own_cost.passes;
}

}  // namespace yolod::app::accounts
