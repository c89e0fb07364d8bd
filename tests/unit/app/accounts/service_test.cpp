// The tests of the service run over SQLite and over PostgreSQL ([postgres]).
#include "app/accounts/service.hpp"

#include <poll.h>

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "app/accounts/protocol/access_table.hpp"
#include "tests/support/accounts_database.hpp"
#include "tests/support/deadline.hpp"

namespace yolod::app::accounts {
namespace {

using namespace protocol;
using tests::kGenerous;
using tests::scaled;
using namespace std::chrono_literals;

// A service and its messages.
class Serving {
 public:
  explicit Serving(const tests::AccountsDatabase& database)
      : settings_(database.settings()), service(settings_, pool(database), database.opener()) {}

  std::uint64_t send(Command command, common::milliseconds deadline = kGenerous) {
    Request request;
    request.id = ++last_id_;
    request.deadline_ms = static_cast<std::uint32_t>(deadline.count());
    request.command = std::move(command);
    service.receive(encode(request).view(), common::Clock::now());
    return request.id;
  }
  Reply ask(Command command) {
    const auto id = send(std::move(command));
    REQUIRE(run_until([&] { return replies.count(id) != 0; }));
    return std::move(replies.at(id));
  }
  template <typename Holds>
  bool run_until(Holds&& holds, common::milliseconds deadline = kGenerous) {
    const auto end = common::Clock::now() + scaled(deadline);
    for (;;) {
      while (auto message = service.next_message()) take(*message);
      if (holds()) return true;
      if (common::Clock::now() >= end) return false;
      pollfd mail{service.mail_descriptor(), POLLIN, 0};
      const auto until = std::min(service.next_tick(), end) - common::Clock::now();
      (void)poll(&mail, 1,
                 static_cast<int>(std::max<std::int64_t>(0, std::chrono::ceil<common::milliseconds>(until).count())));
      service.open_mail();
      service.tick(common::Clock::now());
    }
  }
  bool run_until_ready() {
    return run_until([this] { return service.available() && table.version() != 0; });
  }

  std::map<std::uint64_t, Reply> replies;
  AccessTable table;
  std::vector<bool> availability;

 private:
  static PoolSize pool(const tests::AccountsDatabase& database) { return {1, database.is_postgres() ? 4U : 1U, 64}; }
  void take(Message& message) {
    if (auto* const reply = std::get_if<Reply>(&message)) replies.emplace(reply->id, std::move(*reply));
    if (const auto* const begin = std::get_if<SnapshotBegin>(&message)) CHECK(table.apply(*begin));
    if (const auto* const entries = std::get_if<SnapshotEntries>(&message)) CHECK(table.apply(*entries));
    if (const auto* const end = std::get_if<SnapshotEnd>(&message)) CHECK(table.apply(*end));
    if (const auto* const changes = std::get_if<Changes>(&message)) CHECK(table.apply(*changes));
    if (const auto* const told = std::get_if<Availability>(&message)) availability.push_back(told->available);
  }

  Settings settings_;
  std::uint64_t last_id_{0};

 public:
  Service service;
};

constexpr const char* kPassword = "tree lamp river 9";

AddPerson person(const std::string& name) { return {{}, name, Secret(kPassword), Role::kUser}; }

}  // namespace

YOLOD_TEST_OVER_BOTH(is_away_at_first, "requests are unavailable until the database was read", "[accounts][unit]") {
  Serving serving(database);
  const auto id = serving.send(ListPeople{});
  REQUIRE(serving.run_until([&] { return serving.replies.count(id) != 0; }));
  CHECK(serving.replies.at(id).status == Status::kUnavailable);
  REQUIRE(serving.run_until_ready());
  CHECK(serving.ask(ListPeople{}).status == Status::kOk);
  CHECK(serving.availability == std::vector<bool>{false, true});
}

YOLOD_TEST_OVER_BOTH(many_logins, "more log-ins than may wait are answered `busy`, the others in turn",
                     "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  REQUIRE(serving.ask(person("anna")).status == Status::kOk);
  constexpr std::size_t kLogins = 60;
  for (std::size_t i = 0; i < kLogins; ++i) {
    serving.send(LogIn{"anna", Secret(kPassword), "10.0.0." + std::to_string(i)});
  }
  const std::size_t before = serving.replies.size();
  REQUIRE(serving.run_until([&] { return serving.replies.size() == before + kLogins; }));
  std::map<Status, std::size_t> count;
  for (const auto& [id, reply] : serving.replies) {
    if (id == 1) continue;
    ++count[reply.status];
    if (reply.status == Status::kBusy) CHECK(reply.retry_after_ms >= 1000);
  }
  CHECK(count[Status::kOk] >= HashingThread::kMostWaiting);
  CHECK(count[Status::kBusy] >= 1);
  CHECK(count[Status::kOk] + count[Status::kBusy] == kLogins);
  // The person's oldest sessions ended, so that there are no more than there may be.
  CHECK(serving.table.size() == static_cast<std::size_t>(StoreLimits{}.sessions_of_person));
}

YOLOD_TEST_OVER_BOTH(refused_attempts, "a refused log-in is answered without the database, also for an unknown name",
                     "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  REQUIRE(serving.ask(person("anna")).status == Status::kOk);
  for (const char* name : {"anna", "nobody", "no name"}) {
    CAPTURE(name);
    constexpr int kFreeAttempts = 3;
    std::vector<std::uint64_t> ids;
    for (int i = 0; i <= kFreeAttempts; ++i)
      ids.push_back(serving.send(LogIn{name, Secret("a wrong one"), "10.0.0.1"}));
    // The answer to the last is there without a turn of the event loop, so no query was made.
    REQUIRE(serving.run_until([] { return true; }));
    REQUIRE(serving.replies.count(ids.back()) == 1);
    CHECK(serving.replies.at(ids.back()).status == Status::kTooManyAttempts);
    CHECK(serving.replies.at(ids.back()).retry_after_ms == 1000);
    ids.pop_back();
    CHECK(serving.replies.count(ids.back()) == 0);
    REQUIRE(serving.run_until([&] { return serving.replies.count(ids.back()) == 1; }));
    CHECK(serving.replies.at(ids.back()).status == Status::kWrongCredentials);
  }
  CHECK(serving.ask(LogIn{"anna", Secret(kPassword), "10.0.0.2"}).status == Status::kOk);
}

YOLOD_TEST_OVER_BOTH(deadline, "a request whose deadline passes is answered then", "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  for (int i = 0; i < 10; ++i) serving.send(LogIn{"nobody" + std::to_string(i), Secret(kPassword), std::to_string(i)});
  const auto id = serving.send(LogIn{"anna", Secret(kPassword), "10.0.0.1"}, 1ms);
  REQUIRE(serving.run_until([&] { return serving.replies.count(id) != 0; }));
  CHECK(serving.replies.at(id).status == Status::kDeadlineExceeded);
  CHECK(serving.replies.size() < 11);  // the others are still at it
  REQUIRE(serving.run_until([&] { return serving.replies.size() == 11; }));
  CHECK(serving.replies.at(1).status == Status::kWrongCredentials);
}

YOLOD_TEST_OVER_BOTH(limits_of_key, "only an admin gives a key its own limits", "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  const auto id_of = [&](const char* name, Role role) {
    AddPerson added = person(name);
    added.role = role;
    REQUIRE(serving.ask(std::move(added)).status == Status::kOk);
    const auto reply = serving.ask(LogIn{name, Secret(kPassword), "10.0.0.1"});
    REQUIRE(std::holds_alternative<SessionOpened>(reply.result));
    return std::get<SessionOpened>(reply.result).person;
  };
  const auto make = [&](Actor actor, const char* owner, std::uint32_t rate, std::uint32_t in_flight) {
    CreateKey command;
    command.actor = actor;
    command.owner = owner;
    command.name = "camera";
    command.rate = rate;
    command.in_flight = in_flight;
    return serving.ask(std::move(command));
  };
  const Actor anna{ActorKind::kPerson, id_of("anna", Role::kUser)};
  const Actor emma{ActorKind::kPerson, id_of("emma", Role::kAdmin)};
  for (const auto& refused : {make(anna, "", 1, 0), make(anna, "", 0, 1), make(anna, "anna", 1'000'000, 1'000'000)}) {
    CHECK(refused.status == Status::kNotAllowed);
    CHECK(refused.reason == "only an admin may give a key its own limits");
  }
  CHECK(make(anna, "", 0, 0).status == Status::kOk);
  CHECK(make(emma, "anna", 5, 2).status == Status::kOk);
  CHECK(make(emma, "", 5, 2).status == Status::kOk);
  CHECK(make({}, "anna", 5, 2).status == Status::kOk);
}

YOLOD_TEST_OVER_BOTH(no_request, "bytes that are no request are answered where they have an id", "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  std::string bytes(encode(Request{77, 1000, ListPeople{}}).view());
  bytes += 'x';
  serving.service.receive(bytes, common::Clock::now());
  REQUIRE(serving.run_until([&] { return serving.replies.count(77) != 0; }));
  CHECK(serving.replies.at(77).status == Status::kBadRequest);
  serving.service.receive("", common::Clock::now());
  REQUIRE(serving.run_until([&] { return serving.replies.count(0) != 0; }));
}

YOLOD_TEST_OVER_BOTH(goes_away, "the database away, requests are answered at once, until it is back",
                     "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  database.take_away();
  const auto first = serving.send(person("anna"));
  REQUIRE(serving.run_until([&] { return serving.replies.count(first) != 0; }));
  CHECK(serving.replies.at(first).status == Status::kUnavailable);
  CHECK_FALSE(serving.service.available());
  for (int i = 0; i < 20; ++i) {
    const auto id = serving.send(ListPeople{});
    // The answer is there without a turn of the event loop.
    REQUIRE(serving.run_until([&] { return true; }));
    REQUIRE(serving.replies.count(id) == 1);
    CHECK(serving.replies.at(id).status == Status::kUnavailable);
  }
  database.give_back();
  const auto returned = common::Clock::now();
  REQUIRE(serving.run_until([&] { return serving.service.available(); }));
  CHECK(common::Clock::now() - returned < scaled(2'000ms));
  CHECK(serving.ask(person("anna")).status == Status::kOk);
}

}  // namespace yolod::app::accounts
