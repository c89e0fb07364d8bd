#include "app/access/accounts_client.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <iterator>
#include <utility>

#include "common/awake_clock.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

namespace yolod::app::access {

namespace asio = boost::asio;
namespace protocol = accounts::protocol;
using boost::system::error_code;
using common::AwakeClock;
using common::Clock;
using protocol::Reply;
using protocol::Status;
using std::chrono::milliseconds;

namespace {

Reply reply_with(Status status, std::string reason = {}) {
  Reply reply;
  reply.status = status;
  reply.reason = std::move(reason);
  if (status == Status::kBusy) reply.retry_after_ms = 1000;
  return reply;
}

// If a log-in is lost, it leaves at most a session whose token no client has.
struct MayChange {
  bool operator()(const protocol::LogIn& /*command*/) const { return false; }
  bool operator()(const protocol::ListPeople& /*command*/) const { return false; }
  bool operator()(const protocol::ListKeys& /*command*/) const { return false; }
  bool operator()(const protocol::Touch& /*command*/) const { return false; }
  bool operator()(const protocol::ReadAgain& /*command*/) const { return false; }
  template <typename Change>
  bool operator()(const Change& /*command*/) const {
    return true;
  }
};

std::optional<protocol::Digest> digest_of_new(const Reply& reply) {
  if (const auto* opened = std::get_if<protocol::SessionOpened>(&reply.result)) {
    return protocol::digest_of(opened->token.view());
  }
  if (const auto* created = std::get_if<protocol::KeyCreated>(&reply.result)) {
    return protocol::digest_of(created->key.view());
  }
  return std::nullopt;
}

}  // namespace

AccountsClient::AccountsClient(asio::io_context& io, std::size_t most_requests, KnownKeys known, Events events)
    : io_(io), most_requests_(most_requests), known_(std::move(known)), events_(std::move(events)) {}

void AccountsClient::connected(common::UniqueFd socket) {
  disconnect();
  ++connection_;
  broken_ = false;
  known_.begin_again();
  socket_.emplace(io_, socket.release());
  next_touch_ = AwakeClock::now() + kBetweenTouches;
  await_messages();
}

void AccountsClient::disconnect() {
  if (!socket_) return;
  socket_.reset();
  hello_.reset();
  available_ = awaits_room_ = touching_ = false;
  snapshot_due_.reset();
  known_.lost(AwakeClock::now());
  auto abandoned = std::make_shared<Abandoned>();
  abandoned->pending = std::exchange(pending_, {});
  abandoned->unsent = std::exchange(unsent_, {});
  if (!abandoned->pending.empty()) {
    asio::post(io_, [&io = io_, abandoned = std::move(abandoned)] { answer_abandoned(io, abandoned); });
  }
  for (Held& held : std::exchange(held_, {})) answer(std::move(held.request.done), std::move(held.reply));
}

void AccountsClient::answer_abandoned(asio::io_context& io, std::shared_ptr<Abandoned> abandoned) {
  auto& [pending, unsent] = *abandoned;
  for (int i = 0; i < kAnswersAtOnce && !pending.empty(); ++i) {
    // The unsent requests are the newest ones.
    auto request = pending.extract(std::prev(pending.end()));
    const bool was_sent = unsent.empty();
    if (!was_sent) unsent.pop_back();
    if (!request.mapped().done) continue;
    request.mapped().done(was_sent && request.mapped().changes
                              ? reply_with(Status::kDeadlineExceeded, "the change may have been made all the same")
                              : reply_with(Status::kUnavailable));
  }
  if (pending.empty()) return;
  asio::post(io, [&io, abandoned = std::move(abandoned)] { answer_abandoned(io, abandoned); });
}

void AccountsClient::ask(protocol::Command command, Done done) {
  if (pending_count() >= most_requests_) return answer(std::move(done), reply_with(Status::kBusy));
  send(std::move(command), kDeadline, std::move(done));
}

void AccountsClient::send(protocol::Command command, milliseconds deadline, Done done) {
  if (!hello_) return answer(std::move(done), reply_with(Status::kUnavailable));
  Pending pending;
  pending.done = std::move(done);
  pending.deadline = AwakeClock::now() + deadline + kPatience;
  pending.changes = std::visit(MayChange{}, command);
  if (const auto* log_out = std::get_if<protocol::LogOut>(&command)) pending.ends_session = log_out->session;
  if (const auto* revoke = std::get_if<protocol::RevokeKey>(&command)) pending.ends_key = revoke->key;
  protocol::Request request;
  request.id = ++last_id_;
  request.deadline_ms = static_cast<std::uint32_t>(deadline.count());
  request.command = std::move(command);
  auto bytes = protocol::encode(request);
  if (bytes.empty()) return answer(std::move(pending.done), reply_with(Status::kBadRequest, "a value is too long"));
  pending_.emplace(request.id, std::move(pending));
  unsent_.push_back({request.id, std::move(bytes)});
  if (!awaits_room_) write_some();
}

// A separate function, because a handler must not be called from within ask().
void AccountsClient::answer(Done done, Reply reply) {
  if (!done) return;
  asio::post(io_, [done = std::move(done), reply = std::move(reply)]() mutable { done(std::move(reply)); });
}

// ---- writing ----

void AccountsClient::write_some() {
  while (!unsent_.empty()) {
    const auto bytes = unsent_.front().bytes.view();
    const ssize_t sent = ::send(socket_->native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return await_room();
    if (sent < 0) return;  // the process is gone; the read ends as well
    unsent_.pop_front();
  }
}

void AccountsClient::await_room() {
  awaits_room_ = true;
  socket_->async_wait(asio::posix::stream_descriptor::wait_write,
                      lifeline_.guard([this, connection = connection_](error_code failure) {
                        if (failure || connection != connection_ || !socket_) return;
                        awaits_room_ = false;
                        write_some();
                      }));
}

// ---- reading ----

void AccountsClient::await_messages() {
  socket_->async_wait(asio::posix::stream_descriptor::wait_read,
                      lifeline_.guard([this, connection = connection_](error_code failure) {
                        if (failure || connection != connection_ || !socket_) return;
                        read_some();
                      }));
}

void AccountsClient::read_some() {
  std::array<char, protocol::kMaxMessageBytes> bytes;
  for (int i = 0; i < kMessagesAtOnce; ++i) {
    const ssize_t received = recv(socket_->native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (received <= 0) {
      disconnect();
      events_.closed();
      return;
    }
    const auto size = static_cast<std::size_t>(received);
    if (size > bytes.size()) return break_off("it sent a message that is too long");
    auto message = protocol::decode_message({bytes.data(), size});
    sodium_memzero(bytes.data(), size);
    if (!message) return break_off("it sent a message that this version does not know");
    if (!take(*message)) return break_off("it sent an unexpected message");
    if (!socket_) return;
  }
  await_messages();
}

void AccountsClient::break_off(std::string_view why) {
  if (std::exchange(broken_, true)) return;
  disconnect();
  events_.broken(why);
}

bool AccountsClient::take(protocol::Message& message) {
  if (auto* const hello = std::get_if<protocol::Hello>(&message)) {
    if (hello_) return false;
    hello_ = std::move(*hello);
    events_.ready();
    return true;
  }
  if (!hello_) return false;
  if (auto* const reply = std::get_if<Reply>(&message)) return take_reply(*reply);
  if (const auto* const told = std::get_if<protocol::Availability>(&message)) {
    available_ = told->available;
    return true;
  }
  take_feed(message);
  return true;
}

bool AccountsClient::take_reply(Reply& reply) {
  auto node = pending_.extract(reply.id);
  if (!node) return false;
  const bool was_sent = unsent_.empty() || reply.id < unsent_.front().id;
  if (!was_sent) {
    pending_.insert(std::move(node));
    return false;
  }
  Held held{std::move(reply), std::move(node.mapped()), {}, AwakeClock::now() + kTablePatience};
  if (held.reply.status == Status::kOk) {
    held.begins = digest_of_new(held.reply);
  } else {
    held.request.ends_session.reset();
    held.request.ends_key = 0;
  }
  if (waits_for_table(held, AwakeClock::now())) {
    held_.push_back(std::move(held));
  } else {
    answer(std::move(held.request.done), std::move(held.reply));
  }
  return true;
}

bool AccountsClient::waits_for_table(const Held& held, Clock::time_point now) const {
  if (now >= held.until) return false;
  return (held.begins && !known_.has(*held.begins)) ||
         (held.request.ends_session && known_.has(*held.request.ends_session)) ||
         (held.request.ends_key != 0 && known_.has_key(held.request.ends_key));
}

void AccountsClient::deliver_held(Clock::time_point now) {
  const auto first = std::stable_partition(held_.begin(), held_.end(),
                                           [this, now](const Held& held) { return waits_for_table(held, now); });
  for (auto held = first; held != held_.end(); ++held) answer(std::move(held->request.done), std::move(held->reply));
  held_.erase(first, held_.end());
}

void AccountsClient::take_feed(const protocol::Message& message) {
  if (!known_.apply(message)) return ask_for_snapshot();
  if (std::holds_alternative<protocol::SnapshotEnd>(message)) snapshot_due_.reset();
  if (!held_.empty()) deliver_held(AwakeClock::now());
}

void AccountsClient::ask_for_snapshot() {
  if (snapshot_due_) return;
  common::log_warning("a message of yolod-accounts is missing; asking it for all keys and sessions");
  const auto now = AwakeClock::now();
  snapshot_due_ = now + kSnapshotPatience;
  known_.lost(now);
  send(protocol::ReadAgain{}, kTouchDeadline, {});
}

// ---- time ----

void AccountsClient::tick(Clock::time_point now) {
  if (!socket_) return;
  if (!held_.empty()) deliver_held(now);
  for (const auto& [id, request] : pending_) {
    if (now >= request.deadline) return break_off("it does not answer");
  }
  if (snapshot_due_ && now >= *snapshot_due_ && available_) return break_off("it sent no new snapshot");
  if (!hello_ || touching_ || now < next_touch_) return;
  next_touch_ = now + kBetweenTouches;
  touching_ = true;
  auto touch = known_.next_touches();
  const bool is_full = touch.uses.size() >= protocol::kMaxTouches;
  send(std::move(touch), kTouchDeadline, Done::from(lifeline_.guard([this, is_full](const Reply& reply) {
         touching_ = false;
         if (is_full && reply.status == Status::kOk) next_touch_ = AwakeClock::now();
       })));
}

}  // namespace yolod::app::access
