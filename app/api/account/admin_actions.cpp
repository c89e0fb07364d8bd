#include <array>
#include <utility>
#include <variant>

#include "app/api/account/account_json.hpp"
#include "app/api/account/actions.hpp"
#include "app/api/native_error.hpp"

namespace yolod::app::api::account {
namespace {

namespace beast_http = boost::beast::http;
namespace protocol = accounts::protocol;
using common::Error;
using common::ErrorCode;
using common::Outcome;
using protocol::Command;
using protocol::Reply;
using protocol::Secret;

Error no_admin() { return {ErrorCode::kForbidden, "only an admin may manage people"}; }

Outcome<Command> ask_for_people(const Asker& asker, Fields& /*fields*/) {
  if (!asker.actor) return no_admin();
  return Command(protocol::ListPeople{*asker.actor, asker.after});
}

void answer_people(const Asker& /*asker*/, Reply& reply, http::Response& response) {
  const auto* const page = std::get_if<protocol::PeoplePage>(&reply.result);
  if (page == nullptr) return write_error(response, {ErrorCode::kInternal, "a list without people"});
  response.start(beast_http::status::ok);
  add_page(response.body, "users", page->people, page->more, add_person);
}

Outcome<Command> ask_to_add(const Asker& asker, Fields& fields) {
  if (!asker.actor) return no_admin();
  protocol::AddPerson command;
  command.actor = *asker.actor;
  command.name = fields.required_text("name");
  command.password = Secret(fields.text("password"));
  const auto role = fields.text("role", "user");
  if (role == "admin") {
    command.role = protocol::Role::kAdmin;
  } else if (role != "user") {
    return Error{ErrorCode::kInvalidParameter, "role must be user or admin"};
  }
  return Command(std::move(command));
}

// Writes the password if the server has chosen it.
void write_password(beast_http::status status, Reply& reply, http::Response& response) {
  response.start(status);
  response.body += R"({"success":true)";
  const auto* const chosen = std::get_if<protocol::PasswordChosen>(&reply.result);
  if (chosen != nullptr && !chosen->password.empty()) {
    response.body += R"(,"password":)";
    response.body.add_json(chosen->password.view());
  }
  response.body += '}';
}

void answer_added(const Asker& /*asker*/, Reply& reply, http::Response& response) {
  write_password(beast_http::status::created, reply, response);
}

Outcome<Command> ask_to_reset(const Asker& asker, Fields& fields) {
  if (!asker.actor) return no_admin();
  return Command(protocol::ResetPassword{*asker.actor, asker.in_path, Secret(fields.text("password"))});
}

void answer_reset(const Asker& /*asker*/, Reply& reply, http::Response& response) {
  write_password(beast_http::status::ok, reply, response);
}

Outcome<Command> ask_to_disable(const Asker& asker, Fields& fields) {
  if (!asker.actor) return no_admin();
  return Command(protocol::SetDisabled{*asker.actor, asker.in_path, fields.flag("disabled", true)});
}

Outcome<Command> ask_to_remove(const Asker& asker, Fields& /*fields*/) {
  if (!asker.actor) return no_admin();
  return Command(protocol::RemovePerson{*asker.actor, asker.in_path});
}

Outcome<Command> ask_for_invite(const Asker& asker, Fields& fields) {
  if (!asker.actor) return no_admin();
  constexpr std::int64_t kMostSeconds = 90LL * 24 * 3600;
  return Command(protocol::CreateInvite{*asker.actor, fields.whole("valid_for", kMostSeconds)});
}

void answer_invite(const Asker& /*asker*/, Reply& reply, http::Response& response) {
  const auto* const created = std::get_if<protocol::InviteCreated>(&reply.result);
  if (created == nullptr) return write_error(response, {ErrorCode::kInternal, "an invitation without its text"});
  response.start(beast_http::status::created);
  response.body += R"({"success":true,"invite":)";
  response.body.add_json(created->invite.view());
  response.body += R"(,"expires":)";
  response.body.add_whole(static_cast<std::uint64_t>(created->expires));
  response.body += '}';
}

constexpr auto kAdminsChange = Action::Kind::kChange;
constexpr auto kNoPassword = PasswordFor::kChange;
constexpr std::array kUsers{Action{"GET", Action::Kind::kList, false, kNoPassword, ask_for_people, answer_people},
                            Action{"POST", kAdminsChange, false, kNoPassword, ask_to_add, answer_added}};
constexpr std::array kUser{Action{"PATCH", kAdminsChange, false, kNoPassword, ask_to_disable, answer_success},
                           Action{"DELETE", kAdminsChange, false, kNoPassword, ask_to_remove, answer_success}};
constexpr std::array kReset{Action{"POST", kAdminsChange, false, kNoPassword, ask_to_reset, answer_reset}};
constexpr std::array kInvites{Action{"POST", kAdminsChange, false, kNoPassword, ask_for_invite, answer_invite}};

}  // namespace

std::span<const Action> users_actions() { return kUsers; }
std::span<const Action> user_actions() { return kUser; }
std::span<const Action> reset_actions() { return kReset; }
std::span<const Action> invites_actions() { return kInvites; }

}  // namespace yolod::app::api::account
