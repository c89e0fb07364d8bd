// The tests of the stores use these functions. Each of them requires success.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "app/accounts/account_store.hpp"

namespace yolod::app::accounts {

inline constexpr Seconds kNow = 1'800'000'000;

inline Digest digest_with(std::uint8_t byte) {
  Digest digest{};
  digest.fill(byte);
  return digest;
}

// The hash of the password is "hash of NAME".
inline PersonId add(AccountStore& store, const std::string& name, Role role = Role::kUser) {
  PersonId id = 0;
  REQUIRE(store.add_person(name, "hash of " + name, role, kNow, nullptr, id) == Status::kOk);
  REQUIRE(id > 0);
  return id;
}

// A key that is valid for 100 s and may do everything.
inline KeyDraft draft_of(PersonId owner, std::uint8_t byte) {
  KeyDraft draft;
  draft.digest = digest_with(byte);
  draft.owner = owner;
  draft.record.name = "camera";
  draft.record.head = "abcd";
  draft.record.tail = "wxyz";
  draft.record.scopes = protocol::kAllScopes;
  draft.record.rate = 10;
  draft.record.in_flight = UINT32_MAX;
  draft.record.created = kNow;
  draft.record.expires = kNow + 100;
  return draft;
}

inline KeyId add_key(AccountStore& store, const KeyDraft& draft) {
  KeyId id = 0;
  REQUIRE(store.create_key(draft, id) == Status::kOk);
  return id;
}

inline std::vector<AccessEntry> entries(AccountStore& store, Seconds now = kNow) {
  std::vector<AccessEntry> read;
  REQUIRE(store.read_entries(now, read) == Status::kOk);
  return read;
}

}  // namespace yolod::app::accounts
