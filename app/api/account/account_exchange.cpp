#include "app/api/account/account_exchange.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>
#include <variant>

#include "app/api/account/change_guard.hpp"
#include "app/api/native_error.hpp"
#include "app/api/request_values.hpp"
#include "app/http/characters.hpp"
#include "common/awake_clock.hpp"
#include "common/text.hpp"

namespace yolod::app::api::account {
namespace {

using boost::beast::http::verb;
using common::Error;
using common::ErrorCode;
using common::Outcome;

// Returns whether the body says that it is JSON. A page of another site can send other types without asking first.
bool says_json(std::string_view content_type) {
  const auto type = common::trimmed(content_type.substr(0, content_type.find(';')));
  return http::equal_ignoring_case(type, http::kJsonContentType);
}

}  // namespace

WipedBytes& WipedBytes::operator=(WipedBytes&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void WipedBytes::wipe() {
  if (bytes_) sodium_memzero(bytes_.get(), size_);
  bytes_.reset();
  size_ = 0;
}

// ---- the head ----

http::Exchange::Next AccountExchange::begin(const http::RequestView& request, http::Response& response) {
  if (const auto fits = look_at_head(request); !fits) return fail(fits.error(), response);
  return request.head.has_body() ? Next::kReadBody : act(Fields(), response);
}

Outcome<void> AccountExchange::look_at_head(const http::RequestView& request) {
  const http::RequestHead& head = request.head;
  const auto name = boost::beast::http::to_string(head.method == verb::head ? verb::get : head.method);
  const auto action = std::find_if(actions_.begin(), actions_.end(), [name](const Action& one) {
    return one.method == std::string_view(name.data(), name.size());
  });
  if (action == actions_.end()) std::abort();  // the route allows no other method
  action_ = &*action;

  if (!accounts_.ask) {
    return Error{ErrorCode::kNotFound,
                 "this server has no accounts: its config has neither server.state_dir nor postgres"};
  }
  const access::Caller& caller = request.caller;
  if (action_->kind == Action::Kind::kChange) {
    if (auto why = check_change(head, caller)) return *std::move(why);
  }
  if (action_->for_people && caller.kind != access::Caller::Kind::kSession) {
    return Error{ErrorCode::kForbidden, "only a person who has logged in may do that, and no API key"};
  }
  asker_.caller = caller;
  asker_.name = caller.name;
  asker_.caller.name = asker_.name;
  asker_.actor = caller.actor(request.may_administer());
  request_id_ = request.request_id;
  asker_.origin = caller.network.site().to_string();
  asker_.https = browser_has_https(head, request.is_tls);
  if (!request.captures.empty()) asker_.in_path = request.captures.front();
  if (auto query = read_query(request.target); !query) return query;

  if (head.has_body()) {
    if (action_->kind != Action::Kind::kChange) return Error{ErrorCode::kBadRequest, "this request has no body"};
    if (!says_json(head.content_type)) {
      return Error{ErrorCode::kUnsupportedMediaType, "the Content-Type must be application/json"};
    }
    if (!head.content_encoding.empty() && !http::equal_ignoring_case(head.content_encoding, "identity")) {
      return Error{ErrorCode::kUnsupportedMediaType, "the body must not be compressed"};
    }
  }
  if (action_->ask != nullptr && !accounts_.available()) {
    accounts::protocol::Reply away;
    away.status = accounts::protocol::Status::kUnavailable;
    return error_of(away, action_->password);
  }
  return {};
}

Outcome<void> AccountExchange::read_query(const http::RequestTarget& target) {
  static constexpr std::array<std::string_view, 2> kListParameters{"after", "all"};
  const std::span<const std::string_view> known = action_->kind == Action::Kind::kList
                                                      ? std::span<const std::string_view>(kListParameters)
                                                      : std::span<const std::string_view>();
  return read_each_once(target, [this, known](std::string_view name, std::string_view value) -> Outcome<void> {
    if (std::find(known.begin(), known.end(), name) == known.end()) return unknown_parameter(name, known);
    if (name == "all") {
      if (value != "0" && value != "1") return invalid(name, "0 or 1");
      asker_.all = value == "1";
      return {};
    }
    const auto after = parse_whole<accounts::protocol::KeyId>(value);
    if (!after || *after < 0) return invalid(name, "a whole number");
    asker_.after = *after;
    return {};
  });
}

// ---- the body ----

bool AccountExchange::try_room(std::uint64_t bytes) {
  body_ = WipedBytes(bytes);
  return true;
}

// The first room of every body is large enough for the whole body, and it never waits.
boost::asio::awaitable<Outcome<void>> AccountExchange::await_room(std::uint64_t /*bytes*/,
                                                                  std::uint64_t /*kept_bytes*/) {
  std::abort();
}

http::Exchange::Next AccountExchange::body_came(std::uint64_t bytes, http::Response& response) {
  auto fields = Fields::parse({reinterpret_cast<const char*>(body_.span().data()), bytes});
  body_ = {};
  if (!fields) return fail(fields.error(), response);
  return act(*std::move(fields), response);
}

// ---- the command ----

http::Exchange::Next AccountExchange::act(Fields fields, http::Response& response) {
  if (action_->ask == nullptr) {
    if (const auto checked = fields.check(); !checked) return fail(checked.error(), response);
    return proceed(response);
  }
  auto command = action_->ask(asker_, fields);
  if (const auto checked = fields.check(); !checked) return fail(checked.error(), response);
  if (!command) return fail(command.error(), response);
  command_ = *std::move(command);
  audited_ = audited_change(*command_);
  return Next::kWait;
}

void AccountExchange::wait(Resume done) {
  accounts_.ask(std::move(*command_), access::AccountsClient::Done::from(
                                          [this, done = std::move(done)](accounts::protocol::Reply reply) mutable {
                                            reply_ = std::move(reply);
                                            done();
                                          }));
  command_.reset();
}

http::Exchange::Next AccountExchange::proceed(http::Response& response) {
  tell_audit_log();
  if (reply_.status == accounts::protocol::Status::kOk) {
    action_->answer(asker_, reply_, response);
  } else {
    write_refusal(reply_, action_->password, response);
  }
  add_private_fields(response);
  return Next::kRespond;
}

void AccountExchange::tell_audit_log() {
  if (!audited_.kind) return;
  access::AuditEvent event;
  event.kind = *audited_.kind;
  event.by(asker_.caller);
  event.request_id = request_id_;
  event.subject = audited_.subject;
  event.subject_id = audited_.subject_id;
  if (reply_.status == accounts::protocol::Status::kOk) {
    if (const auto* const made = std::get_if<accounts::protocol::KeyCreated>(&reply_.result)) {
      event.subject_id = made->record.id;
    }
    return audit_.write(event);
  }
  const Error error = error_of(reply_, action_->password);
  event.result = is_fault(reply_.status) ? access::AuditEvent::Result::kFailed : access::AuditEvent::Result::kRefused;
  event.detail = error.message;
  audit_.write_refusal(event, common::AwakeClock::now());
}

// ---- errors ----

void AccountExchange::refuse(const Error& error, http::Response& response) {
  write_error(response, error);
  add_private_fields(response);
}

http::Exchange::Next AccountExchange::fail(const Error& error, http::Response& response) {
  refuse(error, response);
  return Next::kRespond;
}

void add_private_fields(http::Response& response) {
  add_field(response, "Cache-Control", "no-store");
  add_field(response, "X-Content-Type-Options", "nosniff");
}

}  // namespace yolod::app::api::account
