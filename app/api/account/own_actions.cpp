#include <array>
#include <string>
#include <utility>
#include <variant>

#include "app/api/account/account_json.hpp"
#include "app/api/account/actions.hpp"
#include "app/api/account/change_guard.hpp"
#include "app/api/native_error.hpp"
#include "common/text.hpp"

namespace yolod::app::api::account {
namespace {

namespace beast_http = boost::beast::http;
namespace protocol = accounts::protocol;
using common::Outcome;
using protocol::Command;
using protocol::Reply;
using protocol::Secret;

// Returns a Register or a LogIn with the members that both have.
template <typename Entrance>
Entrance entrance_of(const Asker& asker, Fields& fields) {
  Entrance command;
  command.name = fields.required_text("name");
  command.password = Secret(fields.required_text("password"));
  command.origin = asker.origin;
  return command;
}

// ---- register ----

Outcome<Command> ask_to_register(const Asker& asker, Fields& fields) {
  auto command = entrance_of<protocol::Register>(asker, fields);
  command.invite = Secret(fields.text("invite"));
  return Command(std::move(command));
}

void answer_register(const Asker& /*asker*/, Reply& /*reply*/, http::Response& response) {
  write_success(response, beast_http::status::created);
}

// ---- log in, log out ----

Outcome<Command> ask_to_log_in(const Asker& asker, Fields& fields) {
  return Command(entrance_of<protocol::LogIn>(asker, fields));
}

// Each log-in has a new session. The server never takes over a session that the client has sent.
void answer_log_in(const Asker& asker, Reply& reply, http::Response& response) {
  const auto* const opened = std::get_if<protocol::SessionOpened>(&reply.result);
  if (opened == nullptr) return write_error(response, {common::ErrorCode::kInternal, "a log-in without a session"});
  response.start(beast_http::status::ok);
  add_field(response, "Set-Cookie", begin_cookie(opened->token.view(), asker.https));
  response.body += R"({"success":true,"role":)";
  response.body.add_json(to_string(opened->role));
  response.body += R"(,"expires":)";
  response.body.add_whole(static_cast<std::uint64_t>(opened->expires));
  response.body += R"(,"csrf_token":)";
  response.body.add_json(csrf_token(protocol::digest_of(opened->token.view())));
  response.body += '}';
}

Outcome<Command> ask_to_log_out(const Asker& asker, Fields& /*fields*/) {
  return Command(protocol::LogOut{asker.caller.credential});
}

void answer_goodbye(const Asker& asker, Reply& /*reply*/, http::Response& response) {
  write_success(response, beast_http::status::ok);
  add_field(response, "Set-Cookie", end_cookie(asker.https));
}

// ---- change and delete ----

Outcome<Command> ask_for_password(const Asker& asker, Fields& fields) {
  protocol::ChangePassword command;
  command.person = asker.caller.person;
  command.old_password = Secret(fields.required_text("old_password"));
  command.new_password = Secret(fields.required_text("new_password"));
  command.session = asker.caller.credential;
  command.origin = asker.origin;
  return Command(std::move(command));
}

Outcome<Command> ask_to_delete(const Asker& asker, Fields& fields) {
  protocol::DeleteAccount command;
  command.person = asker.caller.person;
  command.password = Secret(fields.required_text("password"));
  command.origin = asker.origin;
  return Command(std::move(command));
}

// ---- who am I ----

void answer_me(const Asker& asker, Reply& /*reply*/, http::Response& response) {
  const bool is_person = asker.caller.kind == access::Caller::Kind::kSession;
  response.start(beast_http::status::ok);
  response.body += R"({"success":true,"kind":)";
  response.body.add_json(is_person ? "person" : "key");
  response.body += R"(,"name":)";
  response.body.add_json(common::as_utf8(asker.name));
  response.body += R"(,"role":)";
  response.body.add_json(to_string(asker.caller.role));
  response.body += R"(,"scopes":)";
  add_scopes(response.body, asker.caller.scopes);
  if (is_person) {
    response.body += R"(,"csrf_token":)";
    response.body.add_json(csrf_token(asker.caller.credential));
  }
  response.body += '}';
}

constexpr auto kChange = Action::Kind::kChange;
constexpr auto kRead = Action::Kind::kRead;
constexpr std::array kRegister{Action{"POST", kChange, false, PasswordFor::kChange, ask_to_register, answer_register}};
constexpr std::array kLogin{Action{"POST", kChange, false, PasswordFor::kLogIn, ask_to_log_in, answer_log_in}};
constexpr std::array kLogout{Action{"POST", kChange, true, PasswordFor::kChange, ask_to_log_out, answer_goodbye}};
constexpr std::array kPassword{Action{"POST", kChange, true, PasswordFor::kChange, ask_for_password, answer_success}};
constexpr std::array kMe{Action{"GET", kRead, false, PasswordFor::kChange, nullptr, answer_me},
                         Action{"DELETE", kChange, true, PasswordFor::kChange, ask_to_delete, answer_goodbye}};

}  // namespace

void answer_success(const Asker& /*asker*/, Reply& /*reply*/, http::Response& response) {
  write_success(response, beast_http::status::ok);
}

void write_success(http::Response& response, beast_http::status status) {
  http::write_json(response, status, R"({"success":true})");
}

std::span<const Action> register_actions() { return kRegister; }
std::span<const Action> login_actions() { return kLogin; }
std::span<const Action> logout_actions() { return kLogout; }
std::span<const Action> password_actions() { return kPassword; }
std::span<const Action> me_actions() { return kMe; }

}  // namespace yolod::app::api::account
