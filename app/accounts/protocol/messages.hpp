// The messages between the front-end and yolod-accounts are plain values. Each message is a packet of a
// SOCK_SEQPACKET pair, at most kMaxMessageBytes long (app/accounts/protocol/codec.hpp).
//
//   yolod-accounts -> front-end   Hello, once, first
//                                 SnapshotBegin, SnapshotEntries..., SnapshotEnd: every key and session that may come
//                                 in; then Changes, each with the next version. Another snapshot replaces all of it
//                                 Availability, whenever the database is lost or is back
//                                 Reply, one for each request, in any order
//   front-end -> yolod-accounts   Request
//
// Times are seconds since 1970; 0 means never. At the end of file yolod-accounts finishes the requests and ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "app/accounts/protocol/digest.hpp"
#include "app/accounts/protocol/secret.hpp"

namespace yolod::app::accounts::protocol {

inline constexpr std::uint16_t kProtocolVersion = 2;
inline constexpr std::size_t kMaxMessageBytes = 8192;
inline constexpr std::size_t kMaxNameBytes = 64;  // of a person, and of a key
inline constexpr std::size_t kMaxPasswordBytes = 512;
inline constexpr std::size_t kMaxOriginBytes = 64;
inline constexpr std::size_t kMaxReasonBytes = 256;
inline constexpr std::size_t kMaxTokenBytes = 64;
inline constexpr std::size_t kMaxEntries = 24;  // in one message; so that it fits, whatever the names
inline constexpr std::size_t kMaxTouches = 150;
inline constexpr std::size_t kMaxRemoved = 100;

using PersonId = std::int64_t;  // from 1 on
using KeyId = std::int64_t;
using Seconds = std::int64_t;

enum class Role : std::uint8_t { kUser = 0, kAdmin = 1 };

// The rights of a key, a bit each.
enum Scope : std::uint32_t { kScopeModels = 1, kScopePredict = 2, kScopeLoad = 4, kScopeAdmin = 8 };
inline constexpr std::uint32_t kAllScopes = kScopeModels | kScopePredict | kScopeLoad | kScopeAdmin;

// ---- Requests ----

// The actor of a request. The front-end has authenticated the actor; yolod-accounts looks up the rights of that
// person or key.
enum class ActorKind : std::uint8_t {
  kOperator = 0,  // at the admin socket: may do everything
  kPerson = 1,    // with a session
  kKey = 2,       // with an API key
};
struct Actor {
  ActorKind kind{ActorKind::kOperator};
  std::int64_t id{0};  // PersonId or KeyId
  // False: an admin has only the rights of other people, because the request came from a public address.
  bool may_administer{true};
  friend bool operator==(const Actor&, const Actor&) = default;
};

// `origin` is the client's site: an IPv4 address, the /48 of an IPv6 address, or "unix".
struct Register {
  std::string name;
  Secret password;
  Secret invite;  // empty: none
  std::string origin;
};
struct LogIn {
  std::string name;
  Secret password;
  std::string origin;
};
struct LogOut {
  Digest session{};
};
struct ChangePassword {
  PersonId person{0};
  Secret old_password;
  Secret new_password;
  Digest session{};  // stays; the person's other sessions end
  std::string origin;
};
struct DeleteAccount {
  PersonId person{0};
  Secret password;
  std::string origin;
};
// If the password is empty, yolod-accounts chooses a password and returns it.
struct ResetPassword {
  Actor actor;
  std::string name;
  Secret password;
};
struct ListPeople {
  Actor actor;
  PersonId after{0};  // begins behind that person
};
struct AddPerson {
  Actor actor;
  std::string name;
  Secret password;  // empty: chosen by yolod-accounts
  Role role{Role::kUser};
};
struct RemovePerson {
  Actor actor;
  std::string name;
};
// Disabling ends the person's sessions and revokes their keys for good.
struct SetDisabled {
  Actor actor;
  std::string name;
  bool disabled{true};
};
struct CreateKey {
  Actor actor;
  std::string owner;  // empty: the actor if it is a person, else no owner
  std::string name;
  std::uint32_t scopes{kScopeModels | kScopePredict};
  std::uint32_t rate{0};       // requests a second, as an admin allows it; 0: the general limit
  std::uint32_t in_flight{0};  // requests at the same time, as an admin allows it; 0: the general limit
  Seconds expires{0};
};
struct ListKeys {
  Actor actor;
  bool all{false};  // true: the keys of all owners, for admins only
  KeyId after{0};
};
struct RevokeKey {
  Actor actor;
  KeyId key{0};
};
struct CreateInvite {
  Actor actor;
  Seconds valid_for{0};
};
// The times at which keys and sessions were last used.
struct Touch {
  struct Use {
    Digest digest{};
    Seconds at{0};
    friend bool operator==(const Use&, const Use&) = default;
  };
  std::vector<Use> uses;
};

// Asks for a new snapshot, because the front-end has missed a message. The snapshot comes later than the reply.
struct ReadAgain {
  friend bool operator==(const ReadAgain&, const ReadAgain&) = default;
};

using Command =
    std::variant<Register, LogIn, LogOut, ChangePassword, DeleteAccount, ResetPassword, ListPeople, AddPerson,
                 RemovePerson, SetDisabled, CreateKey, ListKeys, RevokeKey, CreateInvite, Touch, ReadAgain>;
// The front-end sends these commands on its own; no client waits for their replies.
[[nodiscard]] inline bool is_upkeep(const Command& command) {
  return std::holds_alternative<Touch>(command) || std::holds_alternative<ReadAgain>(command);
}

struct Request {
  std::uint64_t id{0};  // comes back with the reply
  std::uint32_t deadline_ms{0};
  Command command;
};

// ---- Replies ----

enum class Status : std::uint8_t {
  kOk = 0,
  kBadRequest = 1,          // `reason` says which value is not allowed
  kWrongCredentials = 2,    // no such person, a wrong password or a disabled person: not told apart
  kNotAllowed = 3,          // the actor may not do that
  kNotFound = 4,            // no such person or key
  kNameTaken = 5,           //
  kWeakPassword = 6,        // `reason` says why
  kInviteRefused = 7,       // unknown, used or expired
  kRegistrationClosed = 8,  //
  kTooManyAttempts = 9,     // with retry_after_ms
  kLimitReached = 10,       // as many people or keys as there may be
  kBusy = 11,               // too much waits already; with retry_after_ms
  kUnavailable = 12,        // the database is away
  kDeadlineExceeded = 13,   // the change may have been made all the same
};
inline constexpr auto kLastStatus = Status::kDeadlineExceeded;

struct PersonRecord {
  PersonId id{0};
  std::string name;
  Role role{Role::kUser};
  Seconds created{0};
  Seconds disabled{0};
  friend bool operator==(const PersonRecord&, const PersonRecord&) = default;
};
struct KeyRecord {
  KeyId id{0};
  std::string name;
  std::string owner;  // empty: no owner
  std::string head;   // its first and last 4 characters
  std::string tail;
  std::uint32_t scopes{0};
  std::uint32_t rate{0};
  std::uint32_t in_flight{0};
  Seconds created{0};
  Seconds expires{0};
  Seconds last_used{0};
  Seconds revoked{0};
  friend bool operator==(const KeyRecord&, const KeyRecord&) = default;
};

struct SessionOpened {
  Secret token;
  PersonId person{0};
  Role role{Role::kUser};
  Seconds expires{0};
};
struct KeyCreated {
  Secret key;  // shown once
  KeyRecord record;
};
struct PasswordChosen {
  Secret password;  // empty if the request had a password
};
struct InviteCreated {
  Secret invite;
  Seconds expires{0};
};
struct PeoplePage {
  std::vector<PersonRecord> people;  // by rising id
  bool more{false};
};
struct KeysPage {
  std::vector<KeyRecord> keys;
  bool more{false};
};
using Result =
    std::variant<std::monostate, SessionOpened, KeyCreated, PasswordChosen, InviteCreated, PeoplePage, KeysPage>;

struct Reply {
  std::uint64_t id{0};
  Status status{Status::kOk};
  std::uint32_t retry_after_ms{0};
  std::string reason;
  Result result;
};

// ---- Messages without a request ----

enum class EntryKind : std::uint8_t { kSession = 0, kKey = 1 };

// A valid key or session.
struct AccessEntry {
  Digest digest{};
  EntryKind kind{EntryKind::kSession};
  KeyId key{0};        // 0: a session
  PersonId person{0};  // 0: a key without an owner
  std::string name;    // of the person, or of the key
  Role role{Role::kUser};
  std::uint32_t scopes{0};
  std::uint32_t rate{0};
  std::uint32_t in_flight{0};
  Seconds created{0};
  Seconds expires{0};
  Seconds last_used{0};
  friend bool operator==(const AccessEntry&, const AccessEntry&) = default;
};

struct Hello {
  bool postgres{false};
  std::uint32_t landlock_abi{0};  // 0: not in force
  bool seccomp{false};
  std::string missing;  // the part of the sandbox that is missing, and why
};
struct SnapshotBegin {
  std::uint64_t version{0};
  std::uint64_t count{0};  // of the entries that follow
};
struct SnapshotEntries {
  std::vector<AccessEntry> entries;
};
struct SnapshotEnd {
  std::uint64_t version{0};
  std::uint64_t count{0};
};
// The version rises by 1 with each of these messages.
struct Changes {
  std::uint64_t version{0};
  std::vector<Digest> removed;     // before what is added
  std::vector<AccessEntry> added;  // or changed
};
struct Availability {
  bool available{false};
  std::string reason;
};

using Message = std::variant<Reply, Hello, SnapshotBegin, SnapshotEntries, SnapshotEnd, Changes, Availability>;

}  // namespace yolod::app::accounts::protocol
