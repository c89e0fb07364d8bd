// Serving runs a Service with an event loop, so that tests can check the answers of yolod-accounts.
#pragma once

#include <poll.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "app/accounts/protocol/access_table.hpp"
#include "app/accounts/service.hpp"
#include "tests/support/accounts_database.hpp"
#include "tests/support/deadline.hpp"

namespace yolod::app::accounts {

// Takes the service's messages, as the front-end does. Use it from one thread.
class Serving {
 public:
  // `adjust` changes the settings before the service has them.
  explicit Serving(
      const tests::AccountsDatabase& database,
      const std::function<void(protocol::Settings&)>& adjust = [](protocol::Settings& /*settings*/) {})
      : settings_(adjusted(database.settings(), adjust)), service(settings_, pool(database), database.opener()) {}

  std::uint64_t send(protocol::Command command, common::milliseconds deadline = tests::kGenerous) {
    protocol::Request request;
    request.id = ++last_id_;
    request.deadline_ms = static_cast<std::uint32_t>(deadline.count());
    request.command = std::move(command);
    service.receive(protocol::encode(request).view(), common::Clock::now());
    return request.id;
  }
  protocol::Reply ask(protocol::Command command) {
    const auto id = send(std::move(command));
    REQUIRE(run_until([&] { return replies.count(id) != 0; }));
    return std::move(replies.at(id));
  }
  template <typename Holds>
  bool run_until(Holds&& holds, common::milliseconds deadline = tests::kGenerous) {
    const auto end = common::Clock::now() + tests::scaled(deadline);
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

  std::map<std::uint64_t, protocol::Reply> replies;
  protocol::AccessTable table;
  std::vector<bool> availability;

 private:
  static protocol::Settings adjusted(protocol::Settings settings,
                                     const std::function<void(protocol::Settings&)>& adjust) {
    adjust(settings);
    return settings;
  }
  static PoolSize pool(const tests::AccountsDatabase& database) { return {1, database.is_postgres() ? 4U : 1U, 64}; }
  void take(protocol::Message& message) {
    if (auto* const reply = std::get_if<protocol::Reply>(&message)) replies.emplace(reply->id, std::move(*reply));
    if (const auto* const begin = std::get_if<protocol::SnapshotBegin>(&message)) CHECK(table.apply(*begin));
    if (const auto* const entries = std::get_if<protocol::SnapshotEntries>(&message)) CHECK(table.apply(*entries));
    if (const auto* const end = std::get_if<protocol::SnapshotEnd>(&message)) CHECK(table.apply(*end));
    if (const auto* const changes = std::get_if<protocol::Changes>(&message)) CHECK(table.apply(*changes));
    if (const auto* const told = std::get_if<protocol::Availability>(&message)) availability.push_back(told->available);
  }

  protocol::Settings settings_;
  std::uint64_t last_id_{0};

 public:
  Service service;
};

inline constexpr const char* kPassword = "tree lamp river 9";

inline protocol::AddPerson person(const std::string& name) {
  return {{}, name, protocol::Secret(kPassword), protocol::Role::kUser};
}

}  // namespace yolod::app::accounts
