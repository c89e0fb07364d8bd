// This file has the part of AccountStore that handles people and their sessions.
#include "app/accounts/account_store.hpp"

namespace yolod::app::accounts {
namespace {

constexpr Statement kPersonByName{
    "SELECT id, name, role, created, disabled, password_hash FROM yolod_people WHERE name = $1"};
constexpr Statement kPersonById{
    "SELECT id, name, role, created, disabled, password_hash FROM yolod_people WHERE id = $1"};
constexpr Statement kPeople{
    "SELECT id, name, role, created, disabled FROM yolod_people WHERE id > $1 ORDER BY id LIMIT $2"};
constexpr Statement kCountPeople{"SELECT COUNT(*) FROM yolod_people"};
constexpr Statement kAddPerson{
    "INSERT INTO yolod_people (name, password_hash, role, created) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (name) DO NOTHING RETURNING id"};
constexpr Statement kUseInvite{"UPDATE yolod_invites SET used = $1 WHERE digest = $2 AND used = 0 AND expires > $3"};
constexpr Statement kSetPassword{"UPDATE yolod_people SET password_hash = $1 WHERE id = $2"};
constexpr Statement kReplaceHash{"UPDATE yolod_people SET password_hash = $1 WHERE id = $2 AND password_hash = $3"};
constexpr Statement kRemovePerson{"DELETE FROM yolod_people WHERE id = $1"};
constexpr Statement kSetDisabled{"UPDATE yolod_people SET disabled = $1 WHERE id = $2"};
constexpr Statement kRevokeKeysOf{
    "UPDATE yolod_api_keys SET revoked = $1 WHERE owner = $2 AND revoked = 0 RETURNING digest"};
constexpr Statement kRemoveKeysOf{"DELETE FROM yolod_api_keys WHERE owner = $1 RETURNING digest"};
constexpr Statement kEndSessionsOf{"DELETE FROM yolod_sessions WHERE person = $1 RETURNING digest"};
constexpr Statement kEndOtherSessionsOf{
    "DELETE FROM yolod_sessions WHERE person = $1 AND digest <> $2 RETURNING digest"};
// Keeps only the newest sessions, so that a new session has room.
constexpr Statement kEndOldestSessionsOf{
    "DELETE FROM yolod_sessions WHERE digest IN (SELECT digest FROM yolod_sessions WHERE person = $1"
    " ORDER BY created DESC, last_used DESC, digest LIMIT 1000 OFFSET $2) RETURNING digest"};
constexpr Statement kMayLogIn{
    "SELECT COUNT(*) FROM yolod_people WHERE id = $1 AND disabled = 0 AND password_hash = $2"};
constexpr Statement kOpenSession{
    "INSERT INTO yolod_sessions (digest, person, created, last_used, expires) VALUES ($1, $2, $3, $4, $5)"};
constexpr Statement kCloseSession{"DELETE FROM yolod_sessions WHERE digest = $1"};
constexpr Statement kEndExpiredSessions{
    "DELETE FROM yolod_sessions WHERE digest IN (SELECT digest FROM yolod_sessions"
    " WHERE expires <= $1 OR last_used <= $2 LIMIT 100) RETURNING digest"};
constexpr Statement kForgetKeys{"DELETE FROM yolod_api_keys WHERE revoked > 0 AND revoked <= $1"};
constexpr Statement kForgetInvites{"DELETE FROM yolod_invites WHERE expires <= $1"};

Role role_of(std::int64_t number) { return number == 1 ? Role::kAdmin : Role::kUser; }

PersonRecord person_in(const Row& row) {
  return {number_in(row, 0), text_in(row, 1), role_of(number_in(row, 2)), number_in(row, 3), number_in(row, 4)};
}

std::optional<Person> only_person(const std::vector<Row>& rows) {
  if (rows.empty()) return std::nullopt;
  return Person{person_in(rows.front()), text_in(rows.front(), 5)};
}

}  // namespace

Status AccountStore::find_person(const std::string& name, std::optional<Person>& found) {
  std::vector<Row> rows;
  const Status status = read(kPersonByName, values_of(name), rows);
  found = only_person(rows);
  return status;
}

Status AccountStore::find_person(PersonId id, std::optional<Person>& found) {
  std::vector<Row> rows;
  const Status status = read(kPersonById, values_of(id), rows);
  found = only_person(rows);
  return status;
}

Status AccountStore::list_people(PersonId after, std::size_t most, std::vector<PersonRecord>& people) {
  std::vector<Row> rows;
  const Status status = read(kPeople, values_of(after, static_cast<std::int64_t>(most)), rows);
  for (const Row& row : rows) people.push_back(person_in(row));
  return status;
}

Status AccountStore::add_person(const std::string& name, const std::string& hash, Role role, Seconds now,
                                const Digest* invite, PersonId& id) {
  return transaction([&] {
    std::int64_t number = 0;
    if (!count(kCountPeople, {}, number)) return Status::kUnavailable;
    if (number >= limits_.people) return Status::kLimitReached;
    if (invite != nullptr) {
      std::int64_t used = 0;
      if (!run(kUseInvite, values_of(now, value_of(*invite), now), nullptr, &used)) return Status::kUnavailable;
      if (used == 0) return Status::kInviteRefused;
    }
    std::vector<Row> rows;
    if (!run(kAddPerson, values_of(name, hash, static_cast<std::int64_t>(role), now), &rows))
      return Status::kUnavailable;
    if (rows.empty()) return Status::kNameTaken;
    id = number_in(rows.front(), 0);
    return Status::kOk;
  });
}

Status AccountStore::set_password(PersonId id, const std::string& old_hash, const std::string& new_hash,
                                  const Digest* kept, std::vector<Digest>& removed) {
  return transaction([&] {
    removed.clear();
    std::int64_t changed = 0;
    const bool set = old_hash.empty() ? run(kSetPassword, values_of(new_hash, id), nullptr, &changed)
                                      : run(kReplaceHash, values_of(new_hash, id, old_hash), nullptr, &changed);
    if (!set) return Status::kUnavailable;
    if (changed == 0) return old_hash.empty() ? Status::kNotFound : Status::kWrongCredentials;
    const bool ended = kept == nullptr ? end_sessions(kEndSessionsOf, values_of(id), removed)
                                       : end_sessions(kEndOtherSessionsOf, values_of(id, value_of(*kept)), removed);
    return ended ? Status::kOk : Status::kUnavailable;
  });
}

Status AccountStore::rehash(PersonId id, const std::string& old_hash, const std::string& new_hash) {
  return transaction([&] {
    std::int64_t changed = 0;
    if (!run(kReplaceHash, values_of(new_hash, id, old_hash), nullptr, &changed)) return Status::kUnavailable;
    return changed == 0 ? Status::kWrongCredentials : Status::kOk;
  });
}

Status AccountStore::remove_person(PersonId id, std::vector<Digest>& removed) {
  return transaction([&] {
    removed.clear();
    if (!end_sessions(kEndSessionsOf, values_of(id), removed) || !end_sessions(kRemoveKeysOf, values_of(id), removed)) {
      return Status::kUnavailable;
    }
    std::int64_t changed = 0;
    if (!run(kRemovePerson, values_of(id), nullptr, &changed)) return Status::kUnavailable;
    return changed == 0 ? Status::kNotFound : Status::kOk;
  });
}

Status AccountStore::set_disabled(PersonId id, bool disabled, Seconds now, std::vector<Digest>& removed) {
  return transaction([&] {
    removed.clear();
    std::int64_t changed = 0;
    if (!run(kSetDisabled, values_of(disabled ? now : 0, id), nullptr, &changed)) return Status::kUnavailable;
    if (changed == 0) return Status::kNotFound;
    if (!disabled) return Status::kOk;
    const bool ended = end_sessions(kEndSessionsOf, values_of(id), removed) &&
                       end_sessions(kRevokeKeysOf, values_of(now, id), removed);
    return ended ? Status::kOk : Status::kUnavailable;
  });
}

Status AccountStore::open_session(const Digest& digest, PersonId person, const std::string& hash, Seconds now,
                                  Seconds expires, std::vector<Digest>& removed) {
  return transaction([&] {
    removed.clear();
    std::int64_t may = 0;
    if (!count(kMayLogIn, values_of(person, hash), may)) return Status::kUnavailable;
    if (may == 0) return Status::kWrongCredentials;
    const bool opened =
        end_sessions(kEndOldestSessionsOf, values_of(person, limits_.sessions_of_person - 1), removed) &&
        run(kOpenSession, values_of(value_of(digest), person, now, now, expires));
    return opened ? Status::kOk : Status::kUnavailable;
  });
}

Status AccountStore::close_session(const Digest& digest) {
  return transaction([&] {
    std::int64_t changed = 0;
    if (!run(kCloseSession, values_of(value_of(digest)), nullptr, &changed)) return Status::kUnavailable;
    return changed == 0 ? Status::kNotFound : Status::kOk;
  });
}

Status AccountStore::purge(Seconds now, std::vector<Digest>& removed) {
  const auto purged = [&] {
    removed.clear();
    const bool done = end_sessions(kEndExpiredSessions, values_of(now, now - limits_.session_idle), removed) &&
                      run(kForgetKeys, values_of(now - limits_.remembered)) && run(kForgetInvites, values_of(now));
    return done ? Status::kOk : Status::kUnavailable;
  };
  return transaction(purged, Origin::kUpkeep);
}

}  // namespace yolod::app::accounts
