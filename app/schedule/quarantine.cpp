#include "app/schedule/quarantine.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <stdexcept>

namespace yolod::app::schedule {

namespace {

void check_digest(int result) {
  if (result != 1) throw std::runtime_error("OpenSSL cannot compute a SHA-256");
}

}  // namespace

BodyHasher::BodyHasher() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr || EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) != 1) {
    EVP_MD_CTX_free(context_);
    check_digest(0);
  }
}
BodyHasher::~BodyHasher() { EVP_MD_CTX_free(context_); }

void BodyHasher::add(std::span<const std::byte> bytes) {
  check_digest(EVP_DigestUpdate(context_, bytes.data(), bytes.size()));
}

BodyHash BodyHasher::finish() {
  BodyHash hash{};
  check_digest(EVP_DigestFinal_ex(context_, hash.data(), nullptr));
  return hash;
}

std::string short_text(const BodyHash& hash) {
  constexpr std::size_t kShown = 8;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < kShown; ++i) {
    text.push_back(kDigits[hash[i] >> 4U]);
    text.push_back(kDigits[hash[i] & 0xFU]);
  }
  return text;
}

std::size_t Quarantine::FirstBytes::operator()(const BodyHash& hash) const {
  std::size_t value = 0;
  std::memcpy(&value, hash.data(), sizeof value);
  return value;
}

Standing Quarantine::standing(const BodyHash& hash, common::Clock::time_point now) const {
  const auto found = known_.find(hash);
  return found == known_.end() || found->second.is_over(now) ? Standing::kUnknown : found->second.standing;
}

bool Quarantine::knows_length(std::uint64_t bytes) const { return lengths_.contains(bytes); }

Standing Quarantine::strike(const BodyHash& hash, std::uint64_t bytes, common::Clock::time_point now) {
  const auto [entry, is_new] = known_.try_emplace(hash, Record{Standing::kSuspect, bytes, now});
  if (is_new) {
    ++lengths_[bytes];
  } else {
    entry->second.standing = entry->second.is_over(now) ? Standing::kSuspect : Standing::kQuarantined;
    entry->second.since = now;
  }
  const auto standing = entry->second.standing;
  if (known_.size() > kMost) {
    forget(std::min_element(known_.begin(), known_.end(),
                            [](const auto& a, const auto& b) { return a.second.since < b.second.since; }));
  }
  return standing;
}

Standing Quarantine::suspect(const BodyHash& hash, std::uint64_t bytes, common::Clock::time_point now) {
  return standing(hash, now) == Standing::kUnknown ? strike(hash, bytes, now) : standing(hash, now);
}

void Quarantine::acquit(const BodyHash& hash) {
  if (const auto found = known_.find(hash); found != known_.end()) forget(found);
}

void Quarantine::release(common::Clock::time_point now) {
  for (auto entry = known_.begin(); entry != known_.end();) {
    entry = entry->second.is_over(now) ? forget(entry) : std::next(entry);
  }
}

void Quarantine::clear() {
  known_.clear();
  lengths_.clear();
}

Quarantine::Known::iterator Quarantine::forget(Known::iterator entry) {
  const auto length = lengths_.find(entry->second.bytes);
  if (--length->second == 0) lengths_.erase(length);
  return known_.erase(entry);
}

}  // namespace yolod::app::schedule
