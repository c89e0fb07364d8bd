// Requests that many tests of yolod-accounts make. Each function that asks requires success.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <variant>

#include "app/accounts/protocol/tokens.hpp"
#include "tests/support/accounts_process.hpp"

namespace yolod::tests {

inline constexpr const char* kPassword = "tree lamp river 9";
inline constexpr const char* kOtherPassword = "cloud desk apple 4";

inline app::accounts::protocol::SessionOpened log_in(AccountsProcess& accounts, const std::string& name,
                                                     const std::string& password = kPassword) {
  using namespace app::accounts::protocol;
  auto reply = accounts.ask(LogIn{name, Secret(password), "10.0.0.1"});
  REQUIRE(reply.status == Status::kOk);
  auto* const opened = std::get_if<SessionOpened>(&reply.result);
  REQUIRE(opened != nullptr);
  return std::move(*opened);
}

inline app::accounts::protocol::KeyCreated make_key(AccountsProcess& accounts,
                                                    app::accounts::protocol::CreateKey request) {
  using namespace app::accounts::protocol;
  auto reply = accounts.ask(std::move(request));
  REQUIRE(reply.status == Status::kOk);
  auto* const created = std::get_if<KeyCreated>(&reply.result);
  REQUIRE(created != nullptr);
  return std::move(*created);
}

// Returns whether the table has the key or the session of `token`.
inline bool comes_in(const AccountsProcess& accounts, const app::accounts::protocol::Secret& token) {
  return accounts.table().find(app::accounts::protocol::digest_of(token.view())) != nullptr;
}

}  // namespace yolod::tests
