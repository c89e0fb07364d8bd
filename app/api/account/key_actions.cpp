#include <array>
#include <limits>
#include <utility>
#include <variant>

#include "app/api/account/account_json.hpp"
#include "app/api/account/actions.hpp"
#include "app/api/native_error.hpp"
#include "app/api/request_values.hpp"

namespace yolod::app::api::account {
namespace {

namespace beast_http = boost::beast::http;
namespace protocol = accounts::protocol;
using common::Error;
using common::ErrorCode;
using common::Outcome;
using protocol::Command;
using protocol::Reply;

constexpr std::int64_t kMostPerSecond = 1'000'000;
constexpr std::int64_t kLatest = std::numeric_limits<std::uint32_t>::max();  // in the year 2106

Error nobody() { return {ErrorCode::kForbidden, "keys belong to people: log in, or use a key of an admin"}; }

Outcome<Command> ask_for_keys(const Asker& asker, Fields& /*fields*/) {
  if (!asker.actor) return nobody();
  // The operator owns no keys.
  const bool is_operator = asker.actor->kind == protocol::ActorKind::kOperator;
  return Command(protocol::ListKeys{*asker.actor, asker.all || is_operator, asker.after});
}

void answer_keys(const Asker& /*asker*/, Reply& reply, http::Response& response) {
  const auto* const page = std::get_if<protocol::KeysPage>(&reply.result);
  if (page == nullptr) return write_error(response, {ErrorCode::kInternal, "a list without keys"});
  response.start(beast_http::status::ok);
  add_page(response.body, "keys", page->keys, page->more, add_key);
}

Outcome<Command> ask_for_new_key(const Asker& asker, Fields& fields) {
  if (!asker.actor) return nobody();
  protocol::CreateKey command;
  command.actor = *asker.actor;
  command.name = fields.required_text("name");
  command.owner = fields.text("owner");
  command.scopes = fields.scopes("scopes", command.scopes);
  command.rate = static_cast<std::uint32_t>(fields.whole("rate", kMostPerSecond));
  command.in_flight = static_cast<std::uint32_t>(fields.whole("in_flight", kMostPerSecond));
  command.expires = fields.whole("expires", kLatest);
  return Command(std::move(command));
}

void answer_new_key(const Asker& /*asker*/, Reply& reply, http::Response& response) {
  const auto* const created = std::get_if<protocol::KeyCreated>(&reply.result);
  if (created == nullptr) return write_error(response, {ErrorCode::kInternal, "a new key without the key"});
  response.start(beast_http::status::created);
  response.body += R"({"success":true,"key":)";
  response.body.add_json(created->key.view());
  response.body += R"(,"record":)";
  add_key(response.body, created->record);
  response.body += '}';
}

Outcome<Command> ask_to_revoke(const Asker& asker, Fields& /*fields*/) {
  if (!asker.actor) return nobody();
  const auto id = parse_whole<protocol::KeyId>(asker.in_path);
  if (!id || *id <= 0) return Error{ErrorCode::kNotFound, "there is no such key"};
  return Command(protocol::RevokeKey{*asker.actor, *id});
}

constexpr std::array kKeys{
    Action{"GET", Action::Kind::kList, false, PasswordFor::kChange, ask_for_keys, answer_keys},
    Action{"POST", Action::Kind::kChange, false, PasswordFor::kChange, ask_for_new_key, answer_new_key}};
constexpr std::array kKey{
    Action{"DELETE", Action::Kind::kChange, false, PasswordFor::kChange, ask_to_revoke, answer_success}};

}  // namespace

std::span<const Action> keys_actions() { return kKeys; }
std::span<const Action> key_actions() { return kKey; }

}  // namespace yolod::app::api::account
