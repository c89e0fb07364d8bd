// The actions of the routes about accounts, one for each method. docs/api.md describes them.
#pragma once

#include <span>

#include "app/api/account/account_exchange.hpp"

namespace yolod::app::api::account {

// The file own_actions.cpp has a person's own account.
[[nodiscard]] std::span<const Action> register_actions();  // POST /api/register
[[nodiscard]] std::span<const Action> login_actions();     // POST /api/login
[[nodiscard]] std::span<const Action> logout_actions();    // POST /api/logout
[[nodiscard]] std::span<const Action> password_actions();  // POST /api/password
[[nodiscard]] std::span<const Action> me_actions();        // GET and DELETE /api/me

// The file key_actions.cpp has the API keys.
[[nodiscard]] std::span<const Action> keys_actions();  // GET and POST /api/keys
[[nodiscard]] std::span<const Action> key_actions();   // DELETE /api/keys/{id}

// The file admin_actions.cpp has the accounts of other people.
[[nodiscard]] std::span<const Action> users_actions();    // GET and POST /api/users
[[nodiscard]] std::span<const Action> user_actions();     // PATCH and DELETE /api/users/{name}
[[nodiscard]] std::span<const Action> reset_actions();    // POST /api/users/{name}/password
[[nodiscard]] std::span<const Action> invites_actions();  // POST /api/invites

// Several actions end with this answer: the function of Action::answer that writes 200 and {"success":true}.
void answer_success(const Asker& asker, accounts::protocol::Reply& reply, http::Response& response);
// Replaces the whole response by {"success":true}.
void write_success(http::Response& response, boost::beast::http::status status);

}  // namespace yolod::app::api::account
