// The tests of the service run over SQLite and over PostgreSQL ([postgres]).
#include "app/accounts/service.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/accounts_database.hpp"
#include "tests/support/deadline.hpp"
#include "tests/unit/app/accounts/serving.hpp"

namespace yolod::app::accounts::service_test {
namespace {

using namespace protocol;
using tests::scaled;
using namespace std::chrono_literals;

constexpr std::size_t kUnknownPlaces =
    HashingThread::kPlaces[static_cast<std::size_t>(HashingThread::Client::kUnknown)];

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
  CHECK(count[Status::kOk] == kUnknownPlaces);
  CHECK(count[Status::kOk] + count[Status::kBusy] == kLogins);
  // The person's oldest sessions ended, so that there are no more than there may be.
  CHECK(serving.table.size() == static_cast<std::size_t>(StoreLimits{}.sessions_of_person));
}

YOLOD_TEST_OVER_BOTH(known_origin_first, "strangers of any number keep neither known people nor admins out",
                     "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  REQUIRE(serving.ask(person("anna")).status == Status::kOk);
  REQUIRE(serving.ask(LogIn{"anna", Secret(kPassword), "10.9.9.9"}).status == Status::kOk);
  constexpr std::size_t kStrangers = 400;
  const auto of_stranger = [](std::size_t i) { return std::to_string(i / 250) + "." + std::to_string(i % 250); };
  std::vector<std::uint64_t> strangers;
  for (std::size_t i = 0; i < kStrangers; ++i) {
    strangers.push_back(
        serving.send(LogIn{"person" + std::to_string(i), Secret("wrong lamp river 9"), "10.0." + of_stranger(i)}));
  }
  const auto known = serving.send(LogIn{"anna", Secret(kPassword), "10.9.9.9"});
  const auto added = serving.send(person("otto"));
  REQUIRE(serving.run_until([&] { return serving.replies.count(known) != 0; }));
  CHECK(serving.replies.at(known).status == Status::kOk);
  std::map<Status, std::size_t> count;
  for (const auto id : strangers) {
    if (const auto found = serving.replies.find(id); found != serving.replies.end()) ++count[found->second.status];
  }
  CHECK(count[Status::kBusy] == kStrangers - kUnknownPlaces);
  CHECK(count[Status::kWrongCredentials] < kUnknownPlaces / 2);
  REQUIRE(serving.run_until([&] { return serving.replies.count(added) != 0; }));
  CHECK(serving.replies.at(added).status == Status::kOk);
}

YOLOD_TEST_OVER_BOTH(one_of_many_known, "a person who logs in many times at once keeps no other person out",
                     "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  for (const char* const name : {"anna", "otto"}) {
    REQUIRE(serving.ask(person(name)).status == Status::kOk);
    REQUIRE(serving.ask(LogIn{name, Secret(kPassword), "127.0.0.1"}).status == Status::kOk);
  }
  constexpr std::size_t kMoreThanAllPlaces = 100;
  for (std::size_t i = 0; i < kMoreThanAllPlaces; ++i) serving.send(LogIn{"otto", Secret(kPassword), "127.0.0.1"});
  const auto added = serving.send(person("emma"));
  CHECK(serving.ask(LogIn{"anna", Secret(kPassword), "127.0.0.1"}).status == Status::kOk);
  REQUIRE(serving.run_until([&] { return serving.replies.count(added) != 0; }));
  CHECK(serving.replies.at(added).status == Status::kOk);
}

YOLOD_TEST_OVER_BOTH(no_place_no_penalty, "a try without a place does not delay the next try", "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  REQUIRE(serving.ask(person("anna")).status == Status::kOk);
  constexpr int kFreeTries = 2;
  for (int i = 0; i < kFreeTries; ++i) {
    CHECK(serving.ask(LogIn{"anna", Secret("wrong lamp river 9"), "10.9.9.9"}).status == Status::kWrongCredentials);
  }
  for (std::size_t i = 0; i < kUnknownPlaces; ++i) {
    serving.send(LogIn{"person" + std::to_string(i), Secret("wrong lamp river 9"), "10.0.0." + std::to_string(i)});
  }
  CHECK(serving.ask(LogIn{"anna", Secret(kPassword), "10.9.9.9"}).status == Status::kBusy);
  REQUIRE(serving.run_until([&] { return serving.service.under_way() == 0; }));
  CHECK(serving.ask(LogIn{"anna", Secret(kPassword), "10.9.9.9"}).status == Status::kOk);
}

YOLOD_TEST_OVER_BOTH(upkeep_has_room, "people who use up all places for queries keep no upkeep out",
                     "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  REQUIRE(serving.ask(person("anna")).status == Status::kOk);
  const auto opened = serving.ask(LogIn{"anna", Secret(kPassword), "10.9.9.9"});
  REQUIRE(opened.status == Status::kOk);
  protocol::Actor anna{ActorKind::kPerson, std::get<SessionOpened>(opened.result).person};
  anna.may_administer = false;
  // Changes that wait for the database keep every thread of the pool busy.
  database.take_away();
  for (int i = 0; i < 4; ++i) serving.send(LogOut{});
  constexpr std::size_t kMoreThanMayWait = 100;
  std::vector<std::uint64_t> lists;
  for (std::size_t i = 0; i < kMoreThanMayWait; ++i) {
    ListKeys list;
    list.actor = anna;
    lists.push_back(serving.send(list));
  }
  const auto again = serving.send(ReadAgain{});
  const auto uses = serving.send(Touch{});
  const auto log_in = serving.send(LogIn{"anna", Secret(kPassword), "10.9.9.9"});
  database.give_back();
  REQUIRE(serving.run_until([&] { return serving.service.under_way() == 0; }));
  REQUIRE(serving.run_until([&] { return serving.replies.count(log_in) != 0; }));
  std::map<Status, std::size_t> count;
  for (const auto id : lists) ++count[serving.replies.at(id).status];
  CHECK(count[Status::kBusy] > 0);
  CHECK(serving.replies.at(again).status == Status::kOk);
  CHECK(serving.replies.at(uses).status == Status::kOk);
  CHECK(serving.replies.at(log_in).status == Status::kOk);
}

YOLOD_TEST_OVER_BOTH(busy_registration, "a registration without a place is not counted", "[accounts][unit]") {
  Serving serving(database, [](Settings& settings) { settings.register_policy = RegisterPolicy::kOpen; });
  REQUIRE(serving.run_until_ready());
  for (std::size_t i = 0; i < kUnknownPlaces; ++i) {
    serving.send(LogIn{"person" + std::to_string(i), Secret("wrong lamp river 9"), "10.0.0." + std::to_string(i)});
  }
  constexpr int kMoreThanAnHourAllows = 30;
  std::uint64_t last = 0;
  const auto enroll = [&] { return serving.send(Register{"anna", Secret(kPassword), Secret(), "10.9.9.9"}); };
  for (int i = 0; i < kMoreThanAnHourAllows; ++i) last = enroll();
  REQUIRE(serving.run_until([&] { return serving.replies.count(last) != 0; }));
  CHECK(serving.replies.at(last).status == Status::kBusy);
  REQUIRE(serving.run_until([&] { return serving.service.under_way() == 0; }));
  CHECK(serving.ask(Register{"anna", Secret(kPassword), Secret(), "10.9.9.9"}).status == Status::kOk);
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

YOLOD_TEST_OVER_BOTH(public_address, "an admin manages only their own keys at a public address", "[accounts][unit]") {
  Serving serving(database);
  REQUIRE(serving.run_until_ready());
  AddPerson admin = person("emma");
  admin.role = Role::kAdmin;
  REQUIRE(serving.ask(std::move(admin)).status == Status::kOk);
  REQUIRE(serving.ask(person("otto")).status == Status::kOk);
  const auto logged_in = serving.ask(LogIn{"emma", Secret(kPassword), "10.0.0.1"});
  REQUIRE(std::holds_alternative<SessionOpened>(logged_in.result));
  const Actor emma{ActorKind::kPerson, std::get<SessionOpened>(logged_in.result).person, false};
  const auto make = [&](Actor actor, const char* owner, std::uint32_t scopes) {
    return serving.ask(CreateKey{actor, owner, "camera", scopes, 0, 0, 0});
  };
  const auto ottos = make({}, "otto", kScopePredict);
  REQUIRE(ottos.status == Status::kOk);
  const auto own = make(emma, "", kAllScopes);
  REQUIRE(own.status == Status::kOk);
  const Actor key{ActorKind::kKey, std::get<KeyCreated>(own.result).record.id, false};

  CHECK(make(emma, "otto", kScopePredict).status == Status::kNotAllowed);
  CHECK(serving.ask(ListKeys{emma, true, 0}).status == Status::kNotAllowed);
  CHECK(serving.ask(RevokeKey{emma, std::get<KeyCreated>(ottos.result).record.id}).status == Status::kNotFound);
  CHECK(serving.ask(ListPeople{emma, 0}).status == Status::kNotAllowed);
  CHECK(serving.ask(ListKeys{key, true, 0}).status == Status::kNotAllowed);
  CHECK(serving.ask(RevokeKey{key, key.id}).status == Status::kNotAllowed);
  CHECK(serving.ask(ListKeys{emma, false, 0}).status == Status::kOk);
  CHECK(serving.ask(RevokeKey{emma, key.id}).status == Status::kOk);
  // The admin listener has no such restriction.
  CHECK(serving.ask(ListKeys{{ActorKind::kPerson, emma.id}, true, 0}).status == Status::kOk);
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

}  // namespace yolod::app::accounts::service_test
