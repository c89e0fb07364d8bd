#include "app/accounts/protocol/codec.hpp"

#include "app/accounts/protocol/wire.hpp"

namespace yolod::app::accounts::protocol {

template <typename A>
void fields(A& /*a*/, Ref<A, std::monostate> /*v*/) {}

template <typename A>
void fields(A& a, Ref<A, Actor> v) {
  a.enumeration(v.kind, ActorKind::kKey);
  a.number(v.id);
  a.flag(v.may_administer);
}

// ---- Requests ----

template <typename A>
void fields(A& a, Ref<A, Register> v) {
  a.text(v.name, kMaxNameBytes);
  a.secret(v.password, kMaxPasswordBytes);
  a.secret(v.invite, kMaxTokenBytes);
  a.text(v.origin, kMaxOriginBytes);
}
template <typename A>
void fields(A& a, Ref<A, LogIn> v) {
  a.text(v.name, kMaxNameBytes);
  a.secret(v.password, kMaxPasswordBytes);
  a.text(v.origin, kMaxOriginBytes);
}
template <typename A>
void fields(A& a, Ref<A, LogOut> v) {
  a.digest(v.session);
}
template <typename A>
void fields(A& a, Ref<A, ChangePassword> v) {
  a.number(v.person);
  a.secret(v.old_password, kMaxPasswordBytes);
  a.secret(v.new_password, kMaxPasswordBytes);
  a.digest(v.session);
  a.text(v.origin, kMaxOriginBytes);
}
template <typename A>
void fields(A& a, Ref<A, DeleteAccount> v) {
  a.number(v.person);
  a.secret(v.password, kMaxPasswordBytes);
  a.text(v.origin, kMaxOriginBytes);
}
template <typename A>
void fields(A& a, Ref<A, ResetPassword> v) {
  fields(a, v.actor);
  a.text(v.name, kMaxNameBytes);
  a.secret(v.password, kMaxPasswordBytes);
}
template <typename A>
void fields(A& a, Ref<A, ListPeople> v) {
  fields(a, v.actor);
  a.number(v.after);
}
template <typename A>
void fields(A& a, Ref<A, AddPerson> v) {
  fields(a, v.actor);
  a.text(v.name, kMaxNameBytes);
  a.secret(v.password, kMaxPasswordBytes);
  a.enumeration(v.role, Role::kAdmin);
}
template <typename A>
void fields(A& a, Ref<A, RemovePerson> v) {
  fields(a, v.actor);
  a.text(v.name, kMaxNameBytes);
}
template <typename A>
void fields(A& a, Ref<A, SetDisabled> v) {
  fields(a, v.actor);
  a.text(v.name, kMaxNameBytes);
  a.flag(v.disabled);
}
template <typename A>
void fields(A& a, Ref<A, CreateKey> v) {
  fields(a, v.actor);
  a.text(v.owner, kMaxNameBytes);
  a.text(v.name, kMaxNameBytes);
  a.number(v.scopes);
  a.number(v.rate);
  a.number(v.in_flight);
  a.number(v.expires);
}
template <typename A>
void fields(A& a, Ref<A, ListKeys> v) {
  fields(a, v.actor);
  a.flag(v.all);
  a.number(v.after);
}
template <typename A>
void fields(A& a, Ref<A, RevokeKey> v) {
  fields(a, v.actor);
  a.number(v.key);
}
template <typename A>
void fields(A& a, Ref<A, CreateInvite> v) {
  fields(a, v.actor);
  a.number(v.valid_for);
}
template <typename A>
void fields(A& a, Ref<A, Touch> v) {
  a.list(v.uses, kMaxTouches, [](A& archive, Ref<A, Touch::Use> use) {
    archive.digest(use.digest);
    archive.number(use.at);
  });
}

template <typename A>
void fields(A& /*a*/, Ref<A, ReadAgain> /*v*/) {}

// ---- Replies ----

template <typename A>
void fields(A& a, Ref<A, PersonRecord> v) {
  a.number(v.id);
  a.text(v.name, kMaxNameBytes);
  a.enumeration(v.role, Role::kAdmin);
  a.number(v.created);
  a.number(v.disabled);
}
template <typename A>
void fields(A& a, Ref<A, KeyRecord> v) {
  constexpr std::size_t kShown = 4;
  a.number(v.id);
  a.text(v.name, kMaxNameBytes);
  a.text(v.owner, kMaxNameBytes);
  a.text(v.head, kShown);
  a.text(v.tail, kShown);
  a.number(v.scopes);
  a.number(v.rate);
  a.number(v.in_flight);
  a.number(v.created);
  a.number(v.expires);
  a.number(v.last_used);
  a.number(v.revoked);
}
template <typename A>
void fields(A& a, Ref<A, SessionOpened> v) {
  a.secret(v.token, kMaxTokenBytes);
  a.number(v.person);
  a.enumeration(v.role, Role::kAdmin);
  a.number(v.expires);
}
template <typename A>
void fields(A& a, Ref<A, KeyCreated> v) {
  a.secret(v.key, kMaxTokenBytes);
  fields(a, v.record);
}
template <typename A>
void fields(A& a, Ref<A, PasswordChosen> v) {
  a.secret(v.password, kMaxPasswordBytes);
}
template <typename A>
void fields(A& a, Ref<A, InviteCreated> v) {
  a.secret(v.invite, kMaxTokenBytes);
  a.number(v.expires);
}
template <typename A>
void fields(A& a, Ref<A, PeoplePage> v) {
  a.list(v.people, kMaxEntries, [](A& archive, Ref<A, PersonRecord> each) { fields(archive, each); });
  a.flag(v.more);
}
template <typename A>
void fields(A& a, Ref<A, KeysPage> v) {
  a.list(v.keys, kMaxEntries, [](A& archive, Ref<A, KeyRecord> each) { fields(archive, each); });
  a.flag(v.more);
}
template <typename A>
void fields(A& a, Ref<A, Reply> v) {
  a.number(v.id);
  a.enumeration(v.status, kLastStatus);
  a.number(v.retry_after_ms);
  a.text(v.reason, kMaxReasonBytes);
  a.choice(v.result);
}

// ---- Messages without a request ----

template <typename A>
void fields(A& a, Ref<A, AccessEntry> v) {
  a.digest(v.digest);
  a.enumeration(v.kind, EntryKind::kKey);
  a.number(v.key);
  a.number(v.person);
  a.text(v.name, kMaxNameBytes);
  a.enumeration(v.role, Role::kAdmin);
  a.number(v.scopes);
  a.number(v.rate);
  a.number(v.in_flight);
  a.number(v.created);
  a.number(v.expires);
  a.number(v.last_used);
}
template <typename A>
void fields(A& a, Ref<A, Hello> v) {
  a.flag(v.postgres);
  a.number(v.landlock_abi);
  a.flag(v.seccomp);
  a.text(v.missing, kMaxReasonBytes);
}
template <typename A>
void fields(A& a, Ref<A, SnapshotBegin> v) {
  a.number(v.version);
  a.number(v.count);
}
template <typename A>
void fields(A& a, Ref<A, SnapshotEntries> v) {
  a.list(v.entries, kMaxEntries, [](A& archive, Ref<A, AccessEntry> each) { fields(archive, each); });
}
template <typename A>
void fields(A& a, Ref<A, SnapshotEnd> v) {
  a.number(v.version);
  a.number(v.count);
}
template <typename A>
void fields(A& a, Ref<A, Changes> v) {
  a.number(v.version);
  a.list(v.removed, kMaxRemoved, [](A& archive, Ref<A, Digest> each) { archive.digest(each); });
  a.list(v.added, kMaxEntries, [](A& archive, Ref<A, AccessEntry> each) { fields(archive, each); });
}
template <typename A>
void fields(A& a, Ref<A, Availability> v) {
  a.flag(v.available);
  a.text(v.reason, kMaxReasonBytes);
}

namespace {

template <typename A>
void header(A& a, Ref<A, std::uint16_t> version) {
  a.number(version);
}

template <typename A>
void body_of_request(A& a, Ref<A, Request> v) {
  a.number(v.id);
  a.number(v.deadline_ms);
  a.choice(v.command);
}

}  // namespace

Secret encode(const Request& request) {
  Writer writer;
  header<Writer>(writer, kProtocolVersion);
  body_of_request<Writer>(writer, request);
  return writer.take();
}

Secret encode(const Message& message) {
  Writer writer;
  header<Writer>(writer, kProtocolVersion);
  writer.choice(message);
  return writer.take();
}

std::optional<Request> decode_request(std::string_view bytes) {
  Reader reader(bytes);
  std::uint16_t version = 0;
  header<Reader>(reader, version);
  if (version != kProtocolVersion) return std::nullopt;
  std::optional<Request> request(std::in_place);
  body_of_request<Reader>(reader, *request);
  if (!reader.complete()) return std::nullopt;
  return request;
}

std::optional<Message> decode_message(std::string_view bytes) {
  Reader reader(bytes);
  std::uint16_t version = 0;
  header<Reader>(reader, version);
  if (version != kProtocolVersion) return std::nullopt;
  std::optional<Message> message(std::in_place);
  reader.choice(*message);
  if (!reader.complete()) return std::nullopt;
  return message;
}

std::optional<std::uint64_t> id_of_request(std::string_view bytes) {
  constexpr std::size_t kHeaderBytes = 2;
  constexpr std::size_t kIdBytes = 8;
  if (bytes.size() < kHeaderBytes + kIdBytes) return std::nullopt;
  Reader reader(bytes.substr(kHeaderBytes, kIdBytes));
  std::uint64_t id = 0;
  reader.number(id);
  return id;
}

}  // namespace yolod::app::accounts::protocol
