#include "app/accounts/protocol/codec.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "app/accounts/protocol/settings.hpp"

namespace yolod::app::accounts::protocol {
namespace {

Digest digest_filled_with(std::uint8_t byte) {
  Digest digest{};
  digest.fill(byte);
  return digest;
}

Request request_of(Command command) { return {7, 1500, std::move(command)}; }

std::vector<Request> one_of_each_request() {
  std::vector<Request> all;
  all.push_back(request_of(Register{"anna", Secret("secret one"), Secret("yli_x"), "10.0.0.1"}));
  all.push_back(request_of(LogIn{"anna", Secret("p\xC3\xA4ssword"), "2001:db8::/64"}));
  all.push_back(request_of(LogOut{digest_filled_with(1)}));
  all.push_back(request_of(ChangePassword{3, Secret("old"), Secret("new"), digest_filled_with(2), "10.0.0.1"}));
  all.push_back(request_of(DeleteAccount{3, Secret("old"), "10.0.0.1"}));
  all.push_back(request_of(ResetPassword{{ActorKind::kOperator, 0}, "anna", Secret()}));
  all.push_back(request_of(ListPeople{{ActorKind::kPerson, 4}, 40}));
  all.push_back(request_of(AddPerson{{ActorKind::kKey, 5}, "anna", Secret("x"), Role::kAdmin}));
  all.push_back(request_of(RemovePerson{{}, "anna"}));
  all.push_back(request_of(SetDisabled{{}, "anna", false}));
  all.push_back(request_of(CreateKey{{}, "anna", "camera", kScopeLoad, 10, 2, 1'800'000'000}));
  all.push_back(request_of(ListKeys{{}, true, 9}));
  all.push_back(request_of(RevokeKey{{}, INT64_MAX}));
  all.push_back(request_of(CreateInvite{{}, 3600}));
  all.push_back(request_of(Touch{{{digest_filled_with(3), 5}, {digest_filled_with(4), -1}}}));
  all.push_back(request_of(ReadAgain{}));
  return all;
}

Message reply_with(Result result) {
  Reply reply;
  reply.id = UINT64_MAX;
  reply.status = Status::kTooManyAttempts;
  reply.retry_after_ms = 1000;
  reply.reason = "why";
  reply.result = std::move(result);
  return reply;
}

std::vector<Message> one_of_each_message() {
  const KeyRecord key{1, "camera", "anna", "aaaa", "zzzz", 3, 10, 2, 100, 200, 150, 0};
  const AccessEntry entry{
      digest_filled_with(9), EntryKind::kKey, 1, 2, "camera", Role::kAdmin, 15, 10, 2, 100, 200, 150};
  std::vector<Message> all;
  all.push_back(reply_with({}));
  all.push_back(reply_with(SessionOpened{Secret("token"), 3, Role::kAdmin, 5}));
  all.push_back(reply_with(KeyCreated{Secret("yld_x"), key}));
  all.push_back(reply_with(PasswordChosen{Secret("chosen")}));
  all.push_back(reply_with(InviteCreated{Secret("yli_x"), 6}));
  all.push_back(reply_with(PeoplePage{{{1, "anna", Role::kUser, 5, 0}}, true}));
  all.push_back(reply_with(KeysPage{{key, key}, false}));
  all.emplace_back(Hello{true, 7, true, "nothing"});
  all.emplace_back(SnapshotBegin{1, 2});
  all.emplace_back(SnapshotEntries{{entry, entry}});
  all.emplace_back(SnapshotEnd{1, 2});
  all.emplace_back(Changes{2, {digest_filled_with(5)}, {entry}});
  all.emplace_back(Availability{false, "the server does not answer"});
  return all;
}

std::string shown(const Secret& bytes) { return std::string(bytes.view()); }

}  // namespace

TEST_CASE("codec: every kind of request survives encoding and decoding", "[accounts][unit]") {
  const auto all = one_of_each_request();
  CHECK(all.size() == std::variant_size_v<Command>);
  for (const Request& request : all) {
    CAPTURE(request.command.index());
    const Secret bytes = encode(request);
    REQUIRE_FALSE(bytes.empty());
    const auto decoded = decode_request(bytes.view());
    REQUIRE(decoded);
    CHECK(decoded->id == 7);
    CHECK(decoded->deadline_ms == 1500);
    CHECK(decoded->command.index() == request.command.index());
    CHECK(encode(*decoded) == bytes);
    CHECK(id_of_request(bytes.view()) == 7);
  }
}

TEST_CASE("codec: every kind of message survives encoding and decoding", "[accounts][unit]") {
  const auto all = one_of_each_message();
  CHECK(all.size() == std::variant_size_v<Message> + std::variant_size_v<Result> - 1);
  for (const Message& message : all) {
    CAPTURE(message.index());
    const Secret bytes = encode(message);
    const auto decoded = decode_message(bytes.view());
    REQUIRE(decoded);
    CHECK(decoded->index() == message.index());
    CHECK(encode(*decoded) == bytes);
  }
}

TEST_CASE("codec: values come through whole", "[accounts][unit]") {
  const auto decoded = decode_request(encode(request_of(ChangePassword{-3, Secret(std::string("\0\xFF", 2)),
                                                                       Secret("new"), digest_filled_with(2), "::"}))
                                          .view());
  REQUIRE(decoded);
  const auto* const change = std::get_if<ChangePassword>(&decoded->command);
  REQUIRE(change != nullptr);
  CHECK(change->person == -3);
  CHECK(change->old_password.view() == std::string_view("\0\xFF", 2));
  CHECK(change->new_password.view() == "new");
  CHECK(change->session == digest_filled_with(2));
  CHECK(change->origin == "::");
}

TEST_CASE("codec: bytes that are cut or go on are no message", "[accounts][unit]") {
  for (const Request& request : one_of_each_request()) {
    const std::string whole = shown(encode(request));
    for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(decode_request(whole.substr(0, size)));
    CHECK_FALSE(decode_request(whole + '\0'));
  }
  for (const Message& message : one_of_each_message()) {
    const std::string whole = shown(encode(message));
    for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(decode_message(whole.substr(0, size)));
    CHECK_FALSE(decode_message(whole + '\0'));
  }
}

TEST_CASE("codec: another version, an unknown kind and values out of range are no message", "[accounts][unit]") {
  std::string bytes = shown(encode(request_of(SetDisabled{{}, "anna", true})));
  constexpr std::size_t kKind = 14;  // behind version, id and deadline
  constexpr std::size_t kActorKind = 15;
  const std::size_t flag = bytes.size() - 1;
  REQUIRE(decode_request(bytes));
  for (const auto& [place, value] : std::vector<std::pair<std::size_t, char>>{
           {0, kProtocolVersion + 1}, {1, 1}, {kKind, 15}, {kActorKind, 3}, {flag, 2}}) {
    CAPTURE(place);
    std::string changed = bytes;
    changed[place] = value;
    CHECK_FALSE(decode_request(changed));
  }
  std::string not_utf8 = bytes;
  not_utf8[flag - 1] = '\xFF';
  CHECK_FALSE(decode_request(not_utf8));
}

TEST_CASE("codec: what is longer than it may be is not encoded and not decoded", "[accounts][unit]") {
  CHECK_FALSE(encode(request_of(LogIn{std::string(64, 'a'), Secret(std::string(512, 'b')), ""})).empty());
  CHECK(encode(request_of(LogIn{std::string(65, 'a'), Secret(), ""})).empty());
  CHECK(encode(request_of(LogIn{"", Secret(std::string(513, 'b')), ""})).empty());
  CHECK(encode(request_of(Touch{std::vector<Touch::Use>(kMaxTouches + 1)})).empty());
  // The name has 65 bytes, but the limit is 64.
  std::string bytes = shown(encode(request_of(RemovePerson{{}, std::string(64, 'a')})));
  const auto at = bytes.find(std::string(64, 'a'));
  bytes[at - 2] = 65;
  CHECK_FALSE(decode_request(bytes + 'a'));
}

TEST_CASE("codec: the largest lists fit into a message", "[accounts][unit]") {
  AccessEntry entry;
  entry.name = std::string(kMaxNameBytes, 'n');
  KeyRecord key;
  key.name = key.owner = std::string(kMaxNameBytes, 'n');
  key.head = key.tail = "abcd";
  PersonRecord person;
  person.name = std::string(kMaxNameBytes, 'n');
  CHECK_FALSE(encode(Message(SnapshotEntries{std::vector<AccessEntry>(kMaxEntries, entry)})).empty());
  CHECK_FALSE(
      encode(Message(Changes{1, std::vector<Digest>(kMaxRemoved), std::vector<AccessEntry>(kMaxEntries, entry)}))
          .empty());
  CHECK_FALSE(encode(reply_with(KeysPage{std::vector<KeyRecord>(kMaxEntries, key), true})).empty());
  CHECK_FALSE(encode(reply_with(PeoplePage{std::vector<PersonRecord>(kMaxEntries, person), true})).empty());
  CHECK_FALSE(encode(request_of(Touch{std::vector<Touch::Use>(kMaxTouches)})).empty());
}

TEST_CASE("codec: settings come back as they were, and nonsense is none", "[accounts][unit]") {
  Settings settings;
  settings.postgres.host = "db.example";
  settings.postgres.password = Secret("very secret");
  settings.postgres.minsize = 2;
  settings.register_policy = RegisterPolicy::kInvite;
  settings.sandbox = common::SandboxMode::kRequired;
  const Secret bytes = encode(settings);
  const auto decoded = decode_settings(bytes.view());
  REQUIRE(decoded);
  CHECK(decoded->postgres.host == "db.example");
  CHECK(decoded->postgres.password == Secret("very secret"));
  CHECK(encode(*decoded) == bytes);
  CHECK_FALSE(decode_settings(bytes.view().substr(1)));
  CHECK_FALSE(decode_settings(shown(bytes) + 'x'));
  settings.postgres.minsize = 6;  // more than maxsize
  CHECK_FALSE(decode_settings(encode(settings).view()));
  settings.postgres.minsize = 1;
  settings.session_idle = 0;
  CHECK_FALSE(decode_settings(encode(settings).view()));
}

}  // namespace yolod::app::accounts::protocol
