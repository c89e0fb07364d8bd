// Drives an exchange about accounts and plays yolod-accounts: it keeps the command, and gives the reply of the test.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "app/api/account/account_exchange.hpp"
#include "app/api/account/actions.hpp"
#include "app/api/account/change_guard.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/app/api/exchange_driver.hpp"

namespace yolod::app::api::account {

class AccountBench {
 public:
  using Next = http::Exchange::Next;

  AccountBench() {
    REQUIRE(audit.use(folder.path() / "audit.log"));
    accounts.available = [this] { return available; };
    accounts.ask = [this](accounts::protocol::Command given, access::AccountsClient::Done when_done) {
      command.emplace(std::move(given));
      done = std::move(when_done);
    };
  }

  // The following requests come from a person with a session, from a program with a key, or from the operator.
  void be_person(accounts::protocol::Role role = accounts::protocol::Role::kUser) {
    caller.kind = access::Caller::Kind::kSession;
    caller.role = role;
    caller.person = 7;
    caller.credential.fill(9);
    caller.name = "anna";
    caller.scopes = accounts::protocol::kScopeModels | accounts::protocol::kScopePredict;
    fields = "Sec-Fetch-Site: same-origin\r\nX-CSRF-Token: " + csrf_token(caller.credential) + "\r\n";
  }
  void be_key() {
    caller.kind = access::Caller::Kind::kKey;
    caller.key = 4;
    caller.name = "camera";
    caller.scopes = accounts::protocol::kScopeAdmin;
  }
  void be_operator() {
    caller.kind = access::Caller::Kind::kOperator;
    caller.scopes = accounts::protocol::kAllScopes;
  }

  // Sends a request, with a body unless it is empty.
  Next send(std::span<const Action> actions, const std::string& method, const std::string& body = "",
            const std::string& in_path = "", const std::string& query = "") {
    driver =
        std::make_unique<api::ExchangeDriver>(io, std::make_unique<AccountExchange>(metrics, accounts, audit, actions));
    driver->caller = caller;
    std::string head = method + " /api" + query + " HTTP/1.1\r\nHost: yolod.example\r\n" + fields;
    if (!body.empty()) {
      head += "Content-Type: " + content_type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    }
    auto next = in_path.empty() ? driver->begin(head) : driver->begin(head, {in_path});
    if (next == Next::kReadBody) next = driver->send(body);
    if (next == Next::kWait) driver->wait();
    if (next == Next::kRespond) driver->finish(next);
    return next;
  }
  // Answers the command.
  void reply(accounts::protocol::Status status, accounts::protocol::Result result = {},
             std::uint32_t retry_after_ms = 0) {
    accounts::protocol::Reply made;
    made.status = status;
    made.result = std::move(result);
    made.retry_after_ms = retry_after_ms;
    REQUIRE(done);
    done(std::move(made));
    driver->finish_wait();
  }

  // Returns the command that yolod-accounts got.
  template <typename Kind>
  [[nodiscard]] const Kind& sent() const {
    REQUIRE(command);
    const auto* const found = std::get_if<Kind>(&*command);
    REQUIRE(found != nullptr);
    return *found;
  }
  [[nodiscard]] int status() const { return driver->status(); }
  [[nodiscard]] boost::json::value json() const { return boost::json::parse(driver->body()); }
  [[nodiscard]] std::string error_code() const { return std::string(json().at("error").at("code").as_string()); }
  [[nodiscard]] std::string message() const { return std::string(json().at("error").at("message").as_string()); }
  [[nodiscard]] std::string header() const { return std::string(driver->response.fields.view()); }
  [[nodiscard]] std::string audit_lines() const { return tests::read_file(folder.path() / "audit.log"); }

  boost::asio::io_context io;
  observe::Metrics metrics;
  tests::TemporaryDirectory folder;
  access::AuditLog audit;
  Accounts accounts;
  bool available{true};
  access::Caller caller;
  std::string fields;  // further header lines
  std::string content_type{"application/json"};
  std::optional<accounts::protocol::Command> command;
  access::AccountsClient::Done done;
  std::unique_ptr<api::ExchangeDriver> driver;
};

}  // namespace yolod::app::api::account
