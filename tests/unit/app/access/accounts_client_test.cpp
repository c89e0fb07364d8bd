// The tests play yolod-accounts at the other end of the socket.
#include "app/access/accounts_client.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/accounts/protocol/access_table.hpp"
#include "common/awake_clock.hpp"

namespace yolod::app::access {
namespace {

using namespace std::chrono_literals;
using namespace accounts::protocol;
using common::AwakeClock;
using common::UniqueFd;

Digest digest_with(std::uint8_t byte) {
  Digest digest{};
  digest.fill(byte);
  return digest;
}

AccessEntry key_entry(std::uint8_t byte, KeyId key) {
  AccessEntry entry;
  entry.digest = digest_with(byte);
  entry.kind = EntryKind::kKey;
  entry.key = key;
  entry.name = "camera";
  return entry;
}

AccessEntry session_entry(const Digest& digest) {
  AccessEntry entry;
  entry.digest = digest;
  entry.person = 1;
  entry.name = "anna";
  return entry;
}

// Applies a message that changes the table.
bool apply_to(AccessTable& table, const Message& message) {
  if (const auto* const begin = std::get_if<SnapshotBegin>(&message)) return table.apply(*begin);
  if (const auto* const entries = std::get_if<SnapshotEntries>(&message)) return table.apply(*entries);
  if (const auto* const end = std::get_if<SnapshotEnd>(&message)) return table.apply(*end);
  if (const auto* const changes = std::get_if<Changes>(&message)) return table.apply(*changes);
  return false;
}

constexpr std::size_t kMostRequests = 1000;

class ClientBench {
 public:
  ClientBench() { connect(); }

  void connect() {
    std::array<int, 2> ends{-1, -1};
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    peer.reset(ends[1]);
    client.connected(UniqueFd(ends[0]));
  }
  void turn() {
    io.restart();
    while (io.poll() != 0) {
    }
  }
  // Sends a message as yolod-accounts and lets the client read it.
  void tell(const Message& message) { tell_bytes(encode(message).view()); }
  void tell_bytes(std::string_view bytes) {
    REQUIRE(::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
    turn();
  }
  void tell_status(std::uint64_t id, Status status, accounts::protocol::Result result = {}) {
    Reply reply;
    reply.id = id;
    reply.status = status;
    reply.result = std::move(result);
    tell(Message(std::move(reply)));
  }
  void say_hello() {
    tell(Hello{});
    tell(Availability{true, ""});
  }
  void tell_snapshot(std::uint64_t version, std::vector<AccessEntry> entries) {
    const auto count = entries.size();
    tell(SnapshotBegin{version, count});
    tell(SnapshotEntries{std::move(entries)});
    tell(SnapshotEnd{version, count});
  }
  // Returns the next request that the client has sent, if there is one.
  std::optional<Request> heard() {
    std::array<char, kMaxMessageBytes> bytes{};
    const ssize_t received = recv(peer.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (received <= 0) return std::nullopt;
    return decode_request({bytes.data(), static_cast<std::size_t>(received)});
  }
  // Asks, and returns the place of the reply.
  std::shared_ptr<std::optional<Reply>> ask(Command command) {
    auto place = std::make_shared<std::optional<Reply>>();
    client.ask(std::move(command), AccountsClient::Done::from([place](Reply reply) { *place = std::move(reply); }));
    return place;
  }
  // Asks and answers with kOk; returns the place of the reply.
  std::shared_ptr<std::optional<Reply>> ask_and_answer(Command command, accounts::protocol::Result result = {}) {
    auto place = ask(std::move(command));
    const auto request = heard();
    REQUIRE(request);
    tell_status(request->id, Status::kOk, std::move(result));
    return place;
  }

  boost::asio::io_context io{1};
  AccessTable table;
  std::optional<AccessTable> next;
  int lost_count{0};
  Touch touch;
  int ready_count{0};
  int closed_count{0};
  std::vector<std::string> broken;
  UniqueFd peer;
  AccountsClient client{
      io,
      kMostRequests,
      {[this](const Message& message) {
         const bool applied = apply_to(next ? *next : table, message);
         if (next && next->version() != 0) {
           table = *std::move(next);
           next.reset();
         }
         return applied;
       },
       [this] { next.emplace(); }, [this](common::Clock::time_point) { ++lost_count; },
       [this](const Digest& digest) { return table.find(digest) != nullptr; },
       [this](KeyId key) { return table.has_key(key); }, [this] { return std::exchange(touch, Touch{}); }},
      {[this] { ++ready_count; }, [this](std::string_view why) { broken.emplace_back(why); },
       [this] { ++closed_count; }}};
};

}  // namespace

TEST_CASE("AccountsClient: before the hello every request is unavailable, later and not at once", "[app][unit]") {
  ClientBench bench;
  CHECK_FALSE(bench.client.available());
  const auto reply = bench.ask(ListPeople{});
  CHECK_FALSE(*reply);
  bench.turn();
  REQUIRE(*reply);
  CHECK((*reply)->status == Status::kUnavailable);
  CHECK_FALSE(bench.heard());
  bench.say_hello();
  CHECK(bench.ready_count == 1);
  CHECK(bench.client.available());
}

TEST_CASE("AccountsClient: replies come back to their requests in any order", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  const auto first = bench.ask(ListPeople{});
  const auto second = bench.ask(ListKeys{});
  const auto first_request = bench.heard();
  const auto second_request = bench.heard();
  REQUIRE((first_request && second_request));
  CHECK(std::holds_alternative<ListPeople>(first_request->command));
  CHECK(first_request->deadline_ms == AccountsClient::kDeadline.count());
  bench.tell_status(second_request->id, Status::kNotAllowed);
  CHECK_FALSE(*first);
  REQUIRE(*second);
  CHECK((*second)->status == Status::kNotAllowed);
  bench.tell_status(first_request->id, Status::kOk, PeoplePage{{{1, "anna", Role::kUser, 5, 0}}, false});
  REQUIRE(*first);
  CHECK(std::get<PeoplePage>((*first)->result).people.at(0).name == "anna");
  CHECK(bench.client.pending_count() == 0);
}

TEST_CASE("AccountsClient: the queue is bounded, and a request beyond it is refused at once", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  std::vector<std::shared_ptr<std::optional<Reply>>> replies;
  for (std::size_t i = 0; i < kMostRequests; ++i) replies.push_back(bench.ask(ListPeople{}));
  const auto refused = bench.ask(ListPeople{});
  bench.turn();
  REQUIRE(*refused);
  CHECK((*refused)->status == Status::kBusy);
  CHECK((*refused)->retry_after_ms > 0);
  CHECK_FALSE(*replies.front());
  CHECK(bench.client.pending_count() == kMostRequests);

  // The own requests of the client need no place.
  bench.client.tick(AwakeClock::now() + AccountsClient::kBetweenTouches);
  CHECK(bench.client.pending_count() == kMostRequests + 1);
}

TEST_CASE("AccountsClient: a slow peer gets every request once it reads", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  // Each request is large, so that the socket is full before the queue is.
  for (std::size_t i = 0; i < kMostRequests; ++i) {
    (void)bench.ask(ChangePassword{
        1, Secret(std::string(kMaxPasswordBytes, 'a')), Secret(std::string(kMaxPasswordBytes, 'b')), {}, "10.0.0.1"});
  }
  std::size_t heard = 0;
  for (int rounds = 0; rounds < 1000 && heard < kMostRequests; ++rounds) {
    while (bench.heard()) ++heard;
    bench.turn();
  }
  CHECK(heard == kMostRequests);
}

TEST_CASE("AccountsClient: a value that is too long is refused and not sent", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  const auto reply = bench.ask(LogIn{std::string(kMaxNameBytes + 1, 'a'), Secret("x"), ""});
  bench.turn();
  REQUIRE(*reply);
  CHECK((*reply)->status == Status::kBadRequest);
  CHECK_FALSE(bench.heard());
}

TEST_CASE("AccountsClient: keys and sessions come with snapshots and changes", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  bench.tell_snapshot(1, {key_entry(1, 11), key_entry(2, 12)});
  CHECK(bench.table.size() == 2);
  bench.tell(Changes{2, {digest_with(1)}, {key_entry(3, 13)}});
  CHECK_FALSE(bench.table.has_key(11));
  CHECK(bench.table.has_key(13));
  CHECK(bench.broken.empty());
}

TEST_CASE("AccountsClient: after a missing message it asks once for a new snapshot", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  bench.tell_snapshot(1, {key_entry(1, 11)});
  bench.tell(Changes{3, {}, {key_entry(2, 12)}});
  auto request = bench.heard();
  REQUIRE(request);
  CHECK(std::holds_alternative<ReadAgain>(request->command));
  CHECK(bench.lost_count == 1);
  bench.tell(Changes{4, {}, {key_entry(3, 13)}});
  CHECK_FALSE(bench.heard());
  CHECK(bench.table.size() == 1);
  bench.tell_status(request->id, Status::kOk);
  bench.tell_snapshot(5, {key_entry(1, 11), key_entry(2, 12), key_entry(3, 13)});
  CHECK(bench.table.size() == 3);
  bench.tell(Changes{6, {digest_with(1)}, {}});
  CHECK(bench.table.size() == 2);
  CHECK(bench.broken.empty());
  CHECK_FALSE(bench.heard());
}

TEST_CASE("AccountsClient: a process that sends no new snapshot is broken", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  bench.tell_snapshot(1, {});
  bench.tell(Changes{3, {}, {}});
  const auto request = bench.heard();
  REQUIRE(request);
  bench.tell_status(request->id, Status::kOk);
  bench.client.tick(AwakeClock::now() + AccountsClient::kSnapshotPatience - 1s);
  CHECK(bench.broken.empty());
  // The question of tick() is answered, so only the snapshot is missing.
  if (const auto touch = bench.heard()) bench.tell_status(touch->id, Status::kOk);
  bench.client.tick(AwakeClock::now() + AccountsClient::kSnapshotPatience + 1s);
  CHECK(bench.broken == std::vector<std::string>{"it sent no new snapshot"});
}

TEST_CASE("AccountsClient: bytes that are no message end the connection", "[app][unit]") {
  const std::string hello(encode(Message(Hello{})).view());
  for (const auto& bytes : std::vector<std::string>{std::string(100, '\xFF'), hello.substr(0, hello.size() - 1),
                                                    hello + "x", "\1", std::string(kMaxMessageBytes + 1, 'x')}) {
    ClientBench bench;
    bench.tell_bytes(bytes);
    CHECK(bench.broken.size() == 1);
    CHECK(bench.ready_count == 0);
    CHECK(bench.lost_count == 1);
    // The socket is closed.
    std::array<char, 1> byte{};
    CHECK(recv(bench.peer.get(), byte.data(), byte.size(), MSG_DONTWAIT) == 0);
  }
}

TEST_CASE("AccountsClient: messages that do not belong there end the connection", "[app][unit]") {
  SECTION("before the hello") {
    ClientBench bench;
    bench.tell(Availability{true, ""});
    CHECK(bench.broken.size() == 1);
  }
  SECTION("a second hello") {
    ClientBench bench;
    bench.say_hello();
    bench.tell(Hello{});
    CHECK(bench.broken.size() == 1);
  }
  SECTION("a reply to no request") {
    ClientBench bench;
    bench.say_hello();
    bench.tell_status(1, Status::kOk);
    CHECK(bench.broken.size() == 1);
  }
  SECTION("a second reply to a request") {
    ClientBench bench;
    bench.say_hello();
    (void)bench.ask(ListPeople{});
    const auto request = bench.heard();
    REQUIRE(request);
    bench.tell_status(request->id, Status::kOk);
    CHECK(bench.broken.empty());
    bench.tell_status(request->id, Status::kOk);
    CHECK(bench.broken.size() == 1);
  }
}

TEST_CASE("AccountsClient: after a death a change may have been made, and the rest is unavailable", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  bench.tell_snapshot(1, {key_entry(1, 11)});
  const auto change = bench.ask(AddPerson{{}, "anna", Secret("x"), Role::kUser});
  const auto list = bench.ask(ListPeople{});
  const auto log_in = bench.ask(LogIn{"anna", Secret("x"), ""});
  bench.peer.reset();
  bench.turn();
  CHECK(bench.closed_count == 1);
  CHECK(bench.broken.empty());
  REQUIRE((*change && *list && *log_in));
  CHECK((*change)->status == Status::kDeadlineExceeded);
  CHECK_FALSE((*change)->reason.empty());
  CHECK((*list)->status == Status::kUnavailable);
  CHECK((*log_in)->status == Status::kUnavailable);
  CHECK(bench.table.has_key(11));  // what is known stays
  CHECK(bench.lost_count == 1);

  // The next process begins its versions anew. Its snapshot replaces everything at its end.
  bench.connect();
  bench.say_hello();
  bench.tell(SnapshotBegin{1, 1});
  bench.tell(SnapshotEntries{{key_entry(2, 12)}});
  CHECK(bench.table.has_key(11));
  bench.tell(SnapshotEnd{1, 1});
  CHECK_FALSE(bench.table.has_key(11));
  CHECK(bench.table.has_key(12));
}

TEST_CASE("AccountsClient: after a death a thousand requests are answered in pieces", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  std::vector<std::shared_ptr<std::optional<Reply>>> replies;
  for (std::size_t i = 0; i < kMostRequests; ++i) replies.push_back(bench.ask(ListPeople{}));
  const auto answered = [&] {
    return std::count_if(replies.begin(), replies.end(), [](const auto& reply) { return reply->has_value(); });
  };
  bench.client.disconnect();
  CHECK(bench.client.pending_count() == 0);
  bench.io.restart();
  for (auto before = answered(); before < static_cast<std::ptrdiff_t>(kMostRequests); before = answered()) {
    REQUIRE(bench.io.poll_one() == 1);
    CHECK(answered() - before <= AccountsClient::kAnswersAtOnce);
  }
  for (const auto& reply : replies) CHECK((*reply)->status == Status::kUnavailable);
}

TEST_CASE("AccountsClient: after a death exactly the changes that were sent may have been made", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  std::vector<std::shared_ptr<std::optional<Reply>>> replies;
  for (std::size_t i = 0; i < kMostRequests; ++i) {
    replies.push_back(bench.ask(ChangePassword{
        1, Secret(std::string(kMaxPasswordBytes, 'a')), Secret(std::string(kMaxPasswordBytes, 'b')), {}, "10.0.0.1"}));
  }
  std::size_t sent = 0;
  while (bench.heard()) ++sent;
  REQUIRE(sent > AccountsClient::kAnswersAtOnce);
  REQUIRE(sent + AccountsClient::kAnswersAtOnce < kMostRequests);
  bench.client.disconnect();
  bench.turn();
  for (std::size_t i = 0; i < kMostRequests; ++i) {
    REQUIRE(*replies[i]);
    CHECK((*replies[i])->status == (i < sent ? Status::kDeadlineExceeded : Status::kUnavailable));
  }
}

TEST_CASE("AccountsClient: a death after any message loses no request and no table", "[app][unit]") {
  // The process dies after that many of its messages.
  for (std::size_t messages = 0; messages <= 6; ++messages) {
    CAPTURE(messages);
    ClientBench bench;
    std::vector<Message> all;
    all.emplace_back(Hello{});
    all.emplace_back(Availability{true, ""});
    all.emplace_back(SnapshotBegin{1, 1});
    all.emplace_back(SnapshotEntries{{key_entry(1, 11)}});
    all.emplace_back(SnapshotEnd{1, 1});
    all.emplace_back(Changes{2, {}, {key_entry(2, 12)}});
    for (std::size_t i = 0; i < messages; ++i) bench.tell(all[i]);
    const auto reply = bench.ask(ListPeople{});
    bench.peer.reset();
    bench.turn();
    CHECK(bench.closed_count == 1);
    REQUIRE(*reply);
    CHECK((*reply)->status == Status::kUnavailable);
    const std::size_t expected = messages == 6 ? 2 : messages == 5 ? 1 : 0;
    CHECK(bench.table.size() == expected);
    CHECK(bench.client.pending_count() == 0);
  }
}

TEST_CASE("AccountsClient: a log-in is answered when the session is in the table", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  bench.tell_snapshot(1, {});
  const std::string token(43, 'a');
  const auto reply =
      bench.ask_and_answer(LogIn{"anna", Secret("x"), ""}, SessionOpened{Secret(token), 1, Role::kUser, 5});
  CHECK_FALSE(*reply);
  bench.tell(Changes{2, {}, {session_entry(digest_of(token))}});
  REQUIRE(*reply);
  CHECK((*reply)->status == Status::kOk);
}

TEST_CASE("AccountsClient: a revoked key and a session that ends leave the table before the reply", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  bench.tell_snapshot(1, {key_entry(1, 11), session_entry(digest_with(2))});
  const auto revoked = bench.ask_and_answer(RevokeKey{{}, 11});
  const auto ended = bench.ask_and_answer(LogOut{digest_with(2)});
  CHECK_FALSE(*revoked);
  bench.tell(Changes{2, {digest_with(1)}, {}});
  CHECK(*revoked);
  CHECK_FALSE(*ended);
  // The wait of the reply is limited.
  bench.client.tick(AwakeClock::now() + AccountsClient::kTablePatience + 1ms);
  bench.turn();
  CHECK(*ended);
}

TEST_CASE("AccountsClient: a process that does not answer by its deadline is broken", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  const auto reply = bench.ask(AddPerson{{}, "anna", Secret("x"), Role::kUser});
  bench.client.tick(AwakeClock::now() + AccountsClient::kDeadline);
  CHECK(bench.broken.empty());
  bench.client.tick(AwakeClock::now() + AccountsClient::kDeadline + AccountsClient::kPatience + 1ms);
  bench.turn();
  CHECK(bench.broken == std::vector<std::string>{"it does not answer"});
  REQUIRE(*reply);
  CHECK((*reply)->status == Status::kDeadlineExceeded);
}

TEST_CASE("AccountsClient: it asks from time to time, so that it notices a process that hangs", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  bench.touch.uses = {{digest_with(1), 5}};
  bench.client.tick(AwakeClock::now());
  CHECK_FALSE(bench.heard());
  bench.client.tick(AwakeClock::now() + AccountsClient::kBetweenTouches + 1ms);
  const auto request = bench.heard();
  REQUIRE(request);
  CHECK(std::get<Touch>(request->command).uses.size() == 1);
  bench.client.tick(AwakeClock::now() + AccountsClient::kTouchDeadline + AccountsClient::kPatience + 1ms);
  CHECK(bench.broken.size() == 1);
}

TEST_CASE("AccountsClient: a reply to a request of an earlier connection ends the connection", "[app][unit]") {
  ClientBench bench;
  bench.say_hello();
  (void)bench.ask(ListPeople{});
  const auto request = bench.heard();
  REQUIRE(request);
  bench.connect();
  bench.say_hello();
  const auto later = bench.ask(ListKeys{});
  bench.tell_status(request->id, Status::kOk);
  CHECK(bench.broken.size() == 1);
  REQUIRE(*later);
  CHECK((*later)->status == Status::kUnavailable);
}

}  // namespace yolod::app::access
