// This file has the part of AccountStore that handles keys, invitations and the entries for the front-end.
#include "app/accounts/account_store.hpp"

namespace yolod::app::accounts {
namespace {

constexpr Statement kOwnerIsThere{"SELECT COUNT(*) FROM yolod_people WHERE id = $1 AND disabled = 0"};
constexpr Statement kCountKeys{"SELECT COUNT(*) FROM yolod_api_keys"};
constexpr Statement kCountKeysOf{"SELECT COUNT(*) FROM yolod_api_keys WHERE COALESCE(owner, 0) = $1 AND revoked = 0"};
constexpr Statement kCreateKey{
    "INSERT INTO yolod_api_keys (digest, owner, name, head, tail, scopes, rate, in_flight, created, expires)"
    " VALUES ($1, NULLIF(CAST($2 AS BIGINT), 0), $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id"};

#define YOLOD_KEY_COLUMNS                                                                                           \
  "SELECT k.id, k.name, COALESCE(p.name, ''), k.head, k.tail, k.scopes, k.rate, k.in_flight, k.created, k.expires," \
  " k.last_used, k.revoked FROM yolod_api_keys k LEFT JOIN yolod_people p ON p.id = k.owner"
constexpr Statement kKeys{YOLOD_KEY_COLUMNS " WHERE k.id > $1 ORDER BY k.id LIMIT $2"};
constexpr Statement kKeysOf{YOLOD_KEY_COLUMNS " WHERE k.id > $1 AND k.owner = $2 ORDER BY k.id LIMIT $3"};
#undef YOLOD_KEY_COLUMNS

constexpr Statement kRevokeKey{"UPDATE yolod_api_keys SET revoked = $1 WHERE id = $2 AND revoked = 0 RETURNING digest"};
constexpr Statement kRevokeKeyOf{
    "UPDATE yolod_api_keys SET revoked = $1 WHERE id = $2 AND revoked = 0 AND owner = $3 RETURNING digest"};
constexpr Statement kCountInvites{"SELECT COUNT(*) FROM yolod_invites"};
constexpr Statement kCreateInvite{"INSERT INTO yolod_invites (digest, created, expires) VALUES ($1, $2, $3)"};
constexpr Statement kAdminKey{
    "SELECT k.scopes, k.owner, p.role, p.disabled FROM yolod_api_keys k"
    " LEFT JOIN yolod_people p ON p.id = k.owner"
    " WHERE k.id = $1 AND k.revoked = 0 AND (k.expires = 0 OR k.expires > $2)"};

constexpr Statement kTouchSession{"UPDATE yolod_sessions SET last_used = $1 WHERE digest = $2 AND last_used < $3"};
constexpr Statement kTouchKey{"UPDATE yolod_api_keys SET last_used = $1 WHERE digest = $2 AND last_used < $3"};

#define YOLOD_SESSION_ENTRIES                                                                          \
  "SELECT s.digest, s.person, p.name, p.role, s.created, s.expires, s.last_used FROM yolod_sessions s" \
  " JOIN yolod_people p ON p.id = s.person"                                                            \
  " WHERE p.disabled = 0 AND s.expires > $1 AND s.last_used > $2"
constexpr Statement kSessionEntries{YOLOD_SESSION_ENTRIES};
constexpr Statement kSessionEntriesOf{YOLOD_SESSION_ENTRIES " AND s.person = $3"};
constexpr Statement kSessionEntry{YOLOD_SESSION_ENTRIES " AND s.digest = $3"};
#undef YOLOD_SESSION_ENTRIES

#define YOLOD_KEY_ENTRIES                                                                                    \
  "SELECT k.digest, k.id, COALESCE(k.owner, 0), k.name, COALESCE(p.role, 0), k.scopes, k.rate, k.in_flight," \
  " k.created, k.expires, k.last_used FROM yolod_api_keys k LEFT JOIN yolod_people p ON p.id = k.owner"      \
  " WHERE k.revoked = 0 AND COALESCE(p.disabled, 0) = 0 AND (k.expires = 0 OR k.expires > $1)"
constexpr Statement kKeyEntries{YOLOD_KEY_ENTRIES};
constexpr Statement kKeyEntriesOf{YOLOD_KEY_ENTRIES " AND k.owner = $2"};
constexpr Statement kKeyEntry{YOLOD_KEY_ENTRIES " AND k.digest = $2"};
#undef YOLOD_KEY_ENTRIES

// The front-end's rate and in_flight are 32 bits; a row may hold anything.
std::uint32_t small_in(const Row& row, std::size_t column) {
  const std::int64_t number = number_in(row, column);
  return number < 0 || number > UINT32_MAX ? 0 : static_cast<std::uint32_t>(number);
}

Role role_in(const Row& row, std::size_t column) { return number_in(row, column) == 1 ? Role::kAdmin : Role::kUser; }

// Returns all scopes that a person with this role may have.
std::uint32_t scopes_of(Role role) {
  return role == Role::kAdmin ? protocol::kAllScopes : protocol::kScopeModels | protocol::kScopePredict;
}

KeyRecord key_in(const Row& row) {
  KeyRecord key;
  key.id = number_in(row, 0);
  key.name = text_in(row, 1);
  key.owner = text_in(row, 2);
  key.head = text_in(row, 3);
  key.tail = text_in(row, 4);
  key.scopes = small_in(row, 5) & protocol::kAllScopes;
  key.rate = small_in(row, 6);
  key.in_flight = small_in(row, 7);
  key.created = number_in(row, 8);
  key.expires = number_in(row, 9);
  key.last_used = number_in(row, 10);
  key.revoked = number_in(row, 11);
  return key;
}

AccessEntry session_entry_in(const Row& row) {
  AccessEntry entry;
  entry.digest = digest_in(row, 0);
  entry.kind = protocol::EntryKind::kSession;
  entry.person = number_in(row, 1);
  entry.name = text_in(row, 2);
  entry.role = role_in(row, 3);
  entry.scopes = scopes_of(entry.role);
  entry.created = number_in(row, 4);
  entry.expires = number_in(row, 5);
  entry.last_used = number_in(row, 6);
  return entry;
}

AccessEntry key_entry_in(const Row& row) {
  AccessEntry entry;
  entry.digest = digest_in(row, 0);
  entry.kind = protocol::EntryKind::kKey;
  entry.key = number_in(row, 1);
  entry.person = number_in(row, 2);
  entry.name = text_in(row, 3);
  entry.role = role_in(row, 4);
  // A key never allows more than its owner may do.
  entry.scopes = small_in(row, 5) & (entry.person == 0 ? protocol::kAllScopes : scopes_of(entry.role));
  entry.rate = small_in(row, 6);
  entry.in_flight = small_in(row, 7);
  entry.created = number_in(row, 8);
  entry.expires = number_in(row, 9);
  entry.last_used = number_in(row, 10);
  return entry;
}

}  // namespace

Status AccountStore::create_key(const KeyDraft& draft, KeyId& id) {
  return transaction([&] {
    std::int64_t number = 0;
    if (draft.owner != 0) {
      if (!count(kOwnerIsThere, values_of(draft.owner), number)) return Status::kUnavailable;
      if (number == 0) return Status::kNotFound;
    }
    if (!count(kCountKeys, {}, number)) return Status::kUnavailable;
    if (number >= limits_.keys) return Status::kLimitReached;
    if (!count(kCountKeysOf, values_of(draft.owner), number)) return Status::kUnavailable;
    if (number >= limits_.keys_of_owner) return Status::kLimitReached;
    const KeyRecord& key = draft.record;
    std::vector<Row> rows;
    const auto values = values_of(value_of(draft.digest), draft.owner, key.name, key.head, key.tail, key.scopes,
                                  key.rate, key.in_flight, key.created, key.expires);
    if (!run(kCreateKey, values, &rows) || rows.empty()) return Status::kUnavailable;
    id = number_in(rows.front(), 0);
    return Status::kOk;
  });
}

Status AccountStore::list_keys(std::optional<PersonId> owner, KeyId after, std::size_t most,
                               std::vector<KeyRecord>& keys) {
  std::vector<Row> rows;
  const auto limit = static_cast<std::int64_t>(most);
  const Status status =
      owner ? read(kKeysOf, values_of(after, *owner, limit), rows) : read(kKeys, values_of(after, limit), rows);
  for (const Row& row : rows) keys.push_back(key_in(row));
  return status;
}

Status AccountStore::revoke_key(KeyId id, std::optional<PersonId> owner, Seconds now, Digest& removed) {
  return transaction([&] {
    std::vector<Row> rows;
    const bool ran =
        owner ? run(kRevokeKeyOf, values_of(now, id, *owner), &rows) : run(kRevokeKey, values_of(now, id), &rows);
    if (!ran) return Status::kUnavailable;
    if (rows.empty()) return Status::kNotFound;
    removed = digest_in(rows.front(), 0);
    return Status::kOk;
  });
}

Status AccountStore::create_invite(const Digest& digest, Seconds now, Seconds expires) {
  return transaction([&] {
    std::int64_t number = 0;
    if (!count(kCountInvites, {}, number)) return Status::kUnavailable;
    if (number >= limits_.invites) return Status::kLimitReached;
    return run(kCreateInvite, values_of(value_of(digest), now, expires)) ? Status::kOk : Status::kUnavailable;
  });
}

Status AccountStore::is_admin_key(KeyId id, Seconds now, bool& is) {
  std::vector<Row> rows;
  const Status status = read(kAdminKey, values_of(id, now), rows);
  is = !rows.empty() && (small_in(rows.front(), 0) & protocol::kScopeAdmin) != 0 &&
       (number_in(rows.front(), 1) == 0 || role_in(rows.front(), 2) == Role::kAdmin) && number_in(rows.front(), 3) == 0;
  return status;
}

Status AccountStore::touch(const std::vector<protocol::Touch::Use>& uses) {
  const auto touched = [&] {
    for (const auto& use : uses) {
      const auto values = values_of(use.at, value_of(use.digest), use.at);
      std::int64_t changed = 0;
      if (!run(kTouchSession, values, nullptr, &changed)) return Status::kUnavailable;
      if (changed == 0 && !run(kTouchKey, values)) return Status::kUnavailable;
    }
    return Status::kOk;
  };
  return transaction(touched, Origin::kUpkeep);
}

Status AccountStore::read_entries(Seconds now, std::vector<AccessEntry>& entries) {
  std::vector<Row> rows;
  if (const Status status = read(kSessionEntries, values_of(now, now - limits_.session_idle), rows);
      status != Status::kOk) {
    return status;
  }
  for (const Row& row : rows) entries.push_back(session_entry_in(row));
  rows.clear();
  const Status status = read(kKeyEntries, values_of(now), rows);
  for (const Row& row : rows) entries.push_back(key_entry_in(row));
  return status;
}

Status AccountStore::read_entries_of(PersonId person, Seconds now, std::vector<AccessEntry>& entries) {
  std::vector<Row> rows;
  const Status status = read(kSessionEntriesOf, values_of(now, now - limits_.session_idle, person), rows);
  for (const Row& row : rows) entries.push_back(session_entry_in(row));
  if (status != Status::kOk) return status;
  rows.clear();
  const Status keys = read(kKeyEntriesOf, values_of(now, person), rows);
  for (const Row& row : rows) entries.push_back(key_entry_in(row));
  return keys;
}

Status AccountStore::read_entry(const Digest& digest, Seconds now, std::optional<AccessEntry>& entry) {
  entry.reset();
  std::vector<Row> rows;
  const Status status = read(kSessionEntry, values_of(now, now - limits_.session_idle, value_of(digest)), rows);
  if (!rows.empty()) entry = session_entry_in(rows.front());
  if (status != Status::kOk || entry) return status;
  const Status keys = read(kKeyEntry, values_of(now, value_of(digest)), rows);
  if (!rows.empty()) entry = key_entry_in(rows.front());
  return keys;
}

}  // namespace yolod::app::accounts
