// AccountStore reads and changes people, their sessions and API keys, and invitations in a database
// (app/accounts/database.hpp). Every change is a transaction: after a crash at any moment, the database has the whole
// change or nothing of it.
//
// The class has many functions because each question and each change of docs/people.md is one transaction.
//
// A single thread uses it. The results of a method are complete only if it returns kOk. After kUnavailable the
// database may have made the change and lost the confirmation.
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
  PersonId owner{0};  // 0: the key has no owner
  KeyRecord record;   // without id
};

class AccountStore {
 public:
  explicit AccountStore(std::unique_ptr<Database> database, StoreLimits limits = {});

  // lost(): the connection no longer works. left_in_doubt(): the last change may have been committed all the same.
  [[nodiscard]] bool lost() const { return lost_; }
  [[nodiscard]] bool left_in_doubt() const { return in_doubt_; }
  [[nodiscard]] Database& database() { return *database_; }

  // ---- people ----
  [[nodiscard]] Status find_person(const std::string& name, std::optional<Person>& found);
  [[nodiscard]] Status find_person(PersonId id, std::optional<Person>& found);
  [[nodiscard]] Status list_people(PersonId after, std::size_t most, std::vector<PersonRecord>& people);
  // Fails with kNameTaken, kLimitReached, or kInviteRefused if the invitation is unknown, used or expired.
  [[nodiscard]] Status add_person(const std::string& name, const std::string& hash, Role role, Seconds now,
                                  const Digest* invite, PersonId& id);
  // Fails with kWrongCredentials if the hash is no longer `old_hash`; an empty `old_hash` skips this comparison. The
  // change ends all sessions of the person except `kept`.
  [[nodiscard]] Status set_password(PersonId id, const std::string& old_hash, const std::string& new_hash,
                                    const Digest* kept, std::vector<Digest>& removed);
  // Replaces the hash by a stronger hash of the same password.
  [[nodiscard]] Status rehash(PersonId id, const std::string& old_hash, const std::string& new_hash);
  // Removes the person with all keys and sessions. Fails with kNotFound.
  [[nodiscard]] Status remove_person(PersonId id, std::vector<Digest>& removed);
  [[nodiscard]] Status set_disabled(PersonId id, bool disabled, Seconds now, std::vector<Digest>& removed);

  // ---- sessions ---- Fails with kWrongCredentials if the person no longer exists, is disabled, or has another hash
  // by now. A moment after kOk, another log-in of the person may have ended the session again.
  [[nodiscard]] Status open_session(const Digest& digest, PersonId person, const std::string& hash, Seconds now,
                                    Seconds expires, std::vector<Digest>& removed);
  // kNotFound.
  [[nodiscard]] Status close_session(const Digest& digest);
  // Ends expired sessions, at most 100 at a time. Deletes expired invitations and keys that were revoked long ago.
  [[nodiscard]] Status purge(Seconds now, std::vector<Digest>& removed);

  // ---- keys and invitations ---- Fails with kLimitReached, or with kNotFound if the owner no longer exists or is
  // disabled.
  [[nodiscard]] Status create_key(const KeyDraft& draft, KeyId& id);
  // Lists the keys of `owner`; without an owner it lists all keys.
  [[nodiscard]] Status list_keys(std::optional<PersonId> owner, KeyId after, std::size_t most,
                                 std::vector<KeyRecord>& keys);
  // Fails with kNotFound, also if the key does not belong to `owner`.
  [[nodiscard]] Status revoke_key(KeyId id, std::optional<PersonId> owner, Seconds now, Digest& removed);
  [[nodiscard]] Status create_invite(const Digest& digest, Seconds now, Seconds expires);
  // Sets `is` to whether the key may administer now.
  [[nodiscard]] Status is_admin_key(KeyId id, Seconds now, bool& is);

  // ---- entries for the front-end ----
  [[nodiscard]] Status touch(const std::vector<protocol::Touch::Use>& uses);
  // Reads all keys and sessions that are valid now.
  [[nodiscard]] Status read_entries(Seconds now, std::vector<AccessEntry>& entries);
  [[nodiscard]] Status read_entries_of(PersonId person, Seconds now, std::vector<AccessEntry>& entries);
  [[nodiscard]] Status read_entry(const Digest& digest, Seconds now, std::optional<AccessEntry>& entry);

 private:
  // Returns false if the statement failed; ran_ has the reason.
  bool run(const Statement& statement, const std::vector<Value>& parameters, std::vector<Row>* rows = nullptr,
           std::int64_t* changed = nullptr);
  // Runs a statement outside of a transaction.
  Status read(const Statement& statement, const std::vector<Value>& parameters, std::vector<Row>& rows);
  // Does `change` in a transaction, again if another was in the way, and takes back what it did unless it returns kOk.
  // `change` returns kUnavailable where run() has returned false. Only changes that a client asked for pass the fault
  // points, so that a test knows which change it has interrupted.
  enum class Origin { kClient, kUpkeep };
  Status transaction(const std::function<Status()>& change, Origin origin = Origin::kClient);
  bool count(const Statement& statement, const std::vector<Value>& parameters, std::int64_t& number);
  bool end_sessions(const Statement& statement, const std::vector<Value>& parameters, std::vector<Digest>& removed);

  std::unique_ptr<Database> database_;
  StoreLimits limits_;
  Ran ran_{Ran::kDone};
  bool lost_{false};
  bool in_doubt_{false};
};

}  // namespace yolod::app::accounts
