// These tests run the loop of yolod-accounts on a thread, over SQLite, and play the front-end at the other end of its
// socket.
#include "app/accounts/server.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "common/unique_fd.hpp"
#include "tests/support/accounts_database.hpp"
#include "tests/support/deadline.hpp"
#include "tests/unit/app/accounts/serving.hpp"
#include "tests/unit/app/accounts/store_helpers.hpp"

namespace yolod::app::accounts::server_test {
namespace {

using protocol::Secret;

// The loop of yolod-accounts, and the front-end's end of its socket.
class ServedSocket {
 public:
  explicit ServedSocket(const tests::AccountsDatabase& database) {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    ours_ = common::UniqueFd(ends[0]);
    const int theirs = ends[1];
    thread_ = std::thread([this, &database, theirs] {
      const common::UniqueFd socket(theirs);
      const protocol::Settings settings = database.settings();
      Service service(settings, {1, 1, 64}, database.opener());
      serve_front_end(theirs, service, protocol::Hello{false, 3, true, "a part"});
      left_under_way = service.under_way();
      ended = true;
    });
  }
  ~ServedSocket() {
    ours_.reset();
    thread_.join();
  }

  // Waits for room in the socket. Any thread may call it.
  [[nodiscard]] bool send(std::uint64_t id, protocol::Command command) const {
    protocol::Request request;
    request.id = id;
    request.deadline_ms = 60'000;
    request.command = std::move(command);
    return send_bytes(protocol::encode(request).view());
  }
  [[nodiscard]] bool send_bytes(std::string_view bytes) const {
    return ::send(ours_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  // Returns the next message, or nothing if the loop has closed its end.
  std::optional<protocol::Message> next() const {
    std::array<char, protocol::kMaxMessageBytes> packet;
    pollfd readable{ours_.get(), POLLIN, 0};
    REQUIRE(poll(&readable, 1, static_cast<int>(tests::scaled(tests::kGenerous).count())) == 1);
    const ssize_t size = recv(ours_.get(), packet.data(), packet.size(), 0);
    if (size <= 0) return std::nullopt;
    auto message = protocol::decode_message({packet.data(), static_cast<std::size_t>(size)});
    REQUIRE(message);
    return message;
  }
  // Returns the status of the reply to that request, and forgets the messages before it.
  protocol::Status status_of(std::uint64_t id) const {
    for (;;) {
      const auto message = next();
      REQUIRE(message);
      if (const auto* const reply = std::get_if<protocol::Reply>(&*message); reply != nullptr && reply->id == id) {
        return reply->status;
      }
    }
  }
  void wait_until_available() const {
    for (;;) {
      const auto message = next();
      REQUIRE(message);
      const auto* const told = std::get_if<protocol::Availability>(&*message);
      if (told != nullptr && told->available) return;
    }
  }
  void hang_up() { ours_.reset(); }
  [[nodiscard]] bool ends() const {
    return tests::wait_until([this] { return ended.load(); });
  }

  std::atomic<bool> ended{false};
  std::atomic<std::size_t> left_under_way{0};

 private:
  common::UniqueFd ours_;
  std::thread thread_;
};

// Returns whether the database has a person of that name.
bool has_person(const tests::AccountsDatabase& database, const std::string& name) {
  std::optional<Person> found;
  REQUIRE(database.open_store()->find_person(name, found) == Status::kOk);
  return found.has_value();
}

}  // namespace

TEST_CASE("accounts server: the greeting comes first, then the state of the database, then replies",
          "[accounts][unit]") {
  const tests::AccountsDatabase database(tests::Backend::kSqlite);
  ServedSocket served(database);
  const auto first = served.next();
  REQUIRE(first);
  const auto* const hello = std::get_if<protocol::Hello>(&*first);
  REQUIRE(hello != nullptr);
  CHECK(hello->landlock_abi == 3);
  CHECK(hello->seccomp);
  CHECK(hello->missing == "a part");
  served.wait_until_available();
  REQUIRE(served.send(7, protocol::ListPeople{}));
  CHECK(served.status_of(7) == Status::kOk);
}

TEST_CASE("accounts server: a packet that is too long is refused by its id, and the next one is read",
          "[accounts][unit]") {
  const tests::AccountsDatabase database(tests::Backend::kSqlite);
  ServedSocket served(database);
  served.wait_until_available();
  std::string packet(protocol::encode(protocol::Request{77, 1000, protocol::ListPeople{}}).view());
  packet.resize(protocol::kMaxMessageBytes + 1, 'x');
  REQUIRE(served.send_bytes(packet));
  CHECK(served.status_of(77) == Status::kBadRequest);
  REQUIRE(served.send(78, protocol::ListPeople{}));
  CHECK(served.status_of(78) == Status::kOk);
}

TEST_CASE("accounts server: requests that were sent before the hang-up are finished", "[accounts][unit]") {
  const tests::AccountsDatabase database(tests::Backend::kSqlite);
  ServedSocket served(database);
  served.wait_until_available();
  REQUIRE(served.send(1, person("anna")));
  REQUIRE(served.send(2, person("otto")));
  served.hang_up();
  REQUIRE(served.ends());
  CHECK(served.left_under_way == 0);
  CHECK(has_person(database, "anna"));
  CHECK(has_person(database, "otto"));
}

TEST_CASE("accounts server: an idle loop ends with the front-end", "[accounts][unit]") {
  const tests::AccountsDatabase database(tests::Backend::kSqlite);
  ServedSocket served(database);
  if (GENERATE(true, false)) served.wait_until_available();
  served.hang_up();
  CHECK(served.ends());
}

TEST_CASE("accounts server: a request that a hanging database holds does not keep the loop for long",
          "[accounts][unit]") {
  tests::AccountsDatabase database(tests::Backend::kSqlite);
  ServedSocket served(database);
  served.wait_until_available();
  database.take_away();
  REQUIRE(served.send(1, protocol::CreateInvite{}));  // SQLite waits a second for the lock
  served.hang_up();
  REQUIRE(served.ends());
  database.give_back();
}

TEST_CASE("accounts server: a front-end that does not read loses no reply, and its requests wait in the socket",
          "[accounts][unit]") {
  const tests::AccountsDatabase database(tests::Backend::kSqlite);
  ServedSocket served(database);
  served.wait_until_available();
  // The service stops taking requests after some 530, when their replies fill the socket and its list. A sender that
  // has filled the socket is woken only when three quarters of it are free, so it need not get further than some 600.
  constexpr std::uint64_t kRequests = 4 * Service::kMostReplies;
  constexpr std::uint64_t kUnread = 560;
  std::atomic<bool> reads{false};
  std::atomic<bool> all_sent{true};
  std::thread sender([&] {
    for (std::uint64_t id = 1; id <= kRequests; ++id) {
      if (id == kUnread) reads = true;
      if (!served.send(id, protocol::Touch{})) all_sent = false;
    }
  });
  REQUIRE(tests::wait_until([&] { return reads.load(); }));
  std::map<std::uint64_t, int> replies;
  while (replies.size() < kRequests) {
    const auto message = served.next();
    REQUIRE(message);
    if (const auto* const reply = std::get_if<protocol::Reply>(&*message)) ++replies[reply->id];
  }
  sender.join();
  CHECK(all_sent);
  CHECK(std::all_of(replies.begin(), replies.end(), [](const auto& reply) { return reply.second == 1; }));
}

}  // namespace yolod::app::accounts::server_test
