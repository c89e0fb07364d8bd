// People, their sessions and API keys, and invitations, in a database (app/accounts/database.hpp). Every change is one
// transaction: it is there as a whole or not at all, whenever this process dies.
//
// One thread. What a method gives back is complete only if it returns kOk. kUnavailable may mean that a change was made
// whose confirmation was lost.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/accounts/database.hpp"
#include "app/accounts/protocol/messages.hpp"

namespace yolod::app::accounts {

using protocol::AccessEntry;
using protocol::Digest;
using protocol::KeyId;
using protocol::KeyRecord;
using protocol::PersonId;
using protocol::PersonRecord;
using protocol::Role;
using protocol::Seconds;
using protocol::Status;

struct StoreLimits {
  std::int64_t people{100'000};
  std::int64_t sessions_of_person{20};  // one more ends the oldest
  std::int64_t keys_of_owner{100};      // that are not revoked
  std::int64_t keys{100'000};           // revoked ones included
  std::int64_t invites{1'000};
  Seconds session_idle{30 * 60};
  Seconds remembered{90 * 24 * 3600};  // how long keys are listed after they were revoked
};

struct Person {
  PersonRecord record;
  std::string password_hash;
};

struct KeyDraft {
  Digest digest{};
  PersonId owner{0};  // 0: nobody's
  KeyRecord record;   // without id
};

class AccountStore {
 public:
  explicit AccountStore(std::unique_ptr<Database> database, StoreLimits limits = {});

  // Whether the connection is of no use any more, and whether what was under way then may have been done.
  [[nodiscard]] bool lost() const { return lost_; }
  [[nodiscard]] bool left_in_doubt() const { return in_doubt_; }
  [[nodiscard]] Database& database() { return *database_; }

  // ---- people ----
  [[nodiscard]] Status find_person(const std::string& name, std::optional<Person>& found);
  [[nodiscard]] Status find_person(PersonId id, std::optional<Person>& found);
  [[nodiscard]] Status list_people(PersonId after, std::size_t most, std::vector<PersonRecord>& people);
  // kNameTaken, kLimitReached; kInviteRefused where an invitation is given that is not known, used or expired.
  [[nodiscard]] Status add_person(const std::string& name, const std::string& hash, Role role, Seconds now,
                                  const Digest* invite, PersonId& id);
  // kWrongCredentials if the hash is not `old_hash` any more; an empty one is not compared. All sessions of the person
  // end but `kept`.
  [[nodiscard]] Status set_password(PersonId id, const std::string& old_hash, const std::string& new_hash,
                                    const Digest* kept, std::vector<Digest>& removed);
  // The same password, hashed better.
  [[nodiscard]] Status rehash(PersonId id, const std::string& old_hash, const std::string& new_hash);
  // With all keys and sessions. kNotFound.
  [[nodiscard]] Status remove_person(PersonId id, std::vector<Digest>& removed);
  [[nodiscard]] Status set_disabled(PersonId id, bool disabled, Seconds now, std::vector<Digest>& removed);

  // ---- sessions ----
  // kWrongCredentials if the person is not there any more, is disabled, or has another hash by now.
  [[nodiscard]] Status open_session(const Digest& digest, PersonId person, const std::string& hash, Seconds now,
                                    Seconds expires, std::vector<Digest>& removed);
  // kNotFound.
  [[nodiscard]] Status close_session(const Digest& digest);
  // Ends what has expired, at most 100 sessions at a time; forgets keys that were revoked and invitations that expired
  // long ago.
  [[nodiscard]] Status purge(Seconds now, std::vector<Digest>& removed);

  // ---- keys and invitations ----
  // kLimitReached; kNotFound if the owner is not there any more or is disabled.
  [[nodiscard]] Status create_key(const KeyDraft& draft, KeyId& id);
  // Of one owner, or of all and nobody (nothing).
  [[nodiscard]] Status list_keys(std::optional<PersonId> owner, KeyId after, std::size_t most,
                                 std::vector<KeyRecord>& keys);
  // kNotFound, also if it is not `owner`'s.
  [[nodiscard]] Status revoke_key(KeyId id, std::optional<PersonId> owner, Seconds now, Digest& removed);
  [[nodiscard]] Status create_invite(const Digest& digest, Seconds now, Seconds expires);
  // Whether it is a key that may be used now for everything.
  [[nodiscard]] Status is_admin_key(KeyId id, Seconds now, bool& is);

  // ---- what the front-end is told ----
  [[nodiscard]] Status touch(const std::vector<protocol::Touch::Use>& uses);
  // All that may come in now.
  [[nodiscard]] Status read_entries(Seconds now, std::vector<AccessEntry>& entries);
  [[nodiscard]] Status read_entries_of(PersonId person, Seconds now, std::vector<AccessEntry>& entries);
  [[nodiscard]] Status read_entry(const Digest& digest, Seconds now, std::optional<AccessEntry>& entry);

 private:
  // False, and the reason in ran_, if it did not work.
  bool run(const Statement& statement, const std::vector<Value>& parameters, std::vector<Row>* rows = nullptr,
           std::int64_t* changed = nullptr);
  // The status of a statement on its own.
  Status read(const Statement& statement, const std::vector<Value>& parameters, std::vector<Row>& rows);
  // Does `change` in a transaction, again if another was in the way, and takes back what it did unless it returns kOk.
  // `change` returns kUnavailable where run() has returned false.
  Status transaction(const std::function<Status()>& change);
  bool count(const Statement& statement, const std::vector<Value>& parameters, std::int64_t& number);
  bool end_sessions(const Statement& statement, const std::vector<Value>& parameters, std::vector<Digest>& removed);

  std::unique_ptr<Database> database_;
  StoreLimits limits_;
  Ran ran_{Ran::kDone};
  bool lost_{false};
  bool in_doubt_{false};
};

}  // namespace yolod::app::accounts
