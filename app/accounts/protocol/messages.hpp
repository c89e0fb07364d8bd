// What the front-end and yolod-accounts say to each other, as plain values. One message is one packet of a
// SOCK_SEQPACKET pair, at most kMaxMessageBytes long (app/accounts/protocol/codec.hpp).
//
//   yolod-accounts -> front-end   Hello, once, first
//                                 SnapshotBegin, SnapshotEntries..., SnapshotEnd: every key and session that may come
//                                 in; then Changes, each with the next version. Another snapshot replaces all of it
//                                 Availability, whenever the database is lost or is back
//                                 Reply, one for each request, in any order
//   front-end -> yolod-accounts   Request
//
// Times are seconds since 1970; 0 means never. The end of file ends yolod-accounts, after what it was asked is done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "app/accounts/protocol/digest.hpp"
#include "app/accounts/protocol/secret.hpp"

namespace yolod::app::accounts::protocol {

inline constexpr std::uint16_t kProtocolVersion = 1;
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

// What a key may be used for, one bit each.
enum Scope : std::uint32_t { kScopeModels = 1, kScopePredict = 2, kScopeLoad = 4, kScopeAdmin = 8 };
inline constexpr std::uint32_t kAllScopes = kScopeModels | kScopePredict | kScopeLoad | kScopeAdmin;

// ---- Requests ----

// Who asks. The front-end has checked who it is; yolod-accounts looks up what that person or key may do.
enum class ActorKind : std::uint8_t {
  kOperator = 0,  // at the admin socket: may do everything
  kPerson = 1,    // with a session
  kKey = 2,       // with an API key
};
struct Actor {
  ActorKind kind{ActorKind::kOperator};
  std::int64_t id{0};  // PersonId or KeyId
  friend bool operator==(const Actor&, const Actor&) = default;
};

// `origin` is what the front-end takes a client's network to be: an IPv4 address, or the /64 of an IPv6 address.
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
// An empty password: yolod-accounts chooses one and tells it in its answer.
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
  std::string owner;  // empty: of the person who asks; of nobody where the operator or a key asks
  std::string name;
  std::uint32_t scopes{kScopeModels | kScopePredict};
  std::uint32_t rate{0};       // requests a second; 0: no limit of its own
  std::uint32_t in_flight{0};  // requests at once; 0: no limit of its own
  Seconds expires{0};
};
struct ListKeys {
  Actor actor;
  bool all{false};  // also those of others: for admins
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
// When keys and sessions were last used, in batches.
struct Touch {
  struct Use {
    Digest digest{};
    Seconds at{0};
    friend bool operator==(const Use&, const Use&) = default;
  };
  std::vector<Use> uses;
};

using Command = std::variant<Register, LogIn, LogOut, ChangePassword, DeleteAccount, ResetPassword, ListPeople,
                             AddPerson, RemovePerson, SetDisabled, CreateKey, ListKeys, RevokeKey, CreateInvite, Touch>;

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
  kDeadlineExceeded = 13,   // what was asked for may have been done
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
  std::string owner;  // empty: nobody's
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
  Secret password;  // empty: the one that was asked for
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

// ---- What comes unasked ----

enum class EntryKind : std::uint8_t { kSession = 0, kKey = 1 };

// A key or a session that may come in.
struct AccessEntry {
  Digest digest{};
  EntryKind kind{EntryKind::kSession};
  KeyId key{0};        // 0: a session
  PersonId person{0};  // 0: a key that is nobody's
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
  std::string missing;  // which part of the sandbox, and why
};
struct SnapshotBegin {
  std::uint64_t version{0};
};
struct SnapshotEntries {
  std::vector<AccessEntry> entries;
};
struct SnapshotEnd {
  std::uint64_t version{0};
  std::uint64_t count{0};
};
// One step further than the version before.
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
