#include "app/accounts/service.hpp"

#include <algorithm>
#include <utility>

#include "app/accounts/wall_clock.hpp"
#include "common/fault_point.hpp"
#include "common/log.hpp"

namespace yolod::app::accounts {
namespace {

using common::Clock;
using common::milliseconds;

constexpr milliseconds kBetweenPurges{60'000};
constexpr milliseconds kBetweenLooks{250};  // checks whether the database hangs
constexpr milliseconds kLongestDeadline{60'000};

}  // namespace

Service::Service(const protocol::Settings& settings, const PoolSize& pool, const OpenStore& open)
    : settings_(settings),
      next_purge_(Clock::now() + kBetweenPurges),
      hashing_(mailbox_),
      stores_(mailbox_, pool, open,
              [this] {
                // The watcher already knows that the database is away, and why.
                if (available_) lost("a connection was lost");
              }),
      watcher_(mailbox_, open, watcher_events()),
      commands_({settings_, hashing_, stores_, attempts_, feed_}) {}

Service::~Service() {
  // The coroutines hold work of the threads, so they must end before the threads.
  while (coroutines_ > 0) {
    if (!mailbox_.open()) std::this_thread::sleep_for(milliseconds(1));
  }
}

WatcherEvents Service::watcher_events() {
  WatcherEvents events;
  events.on_reading = [this] { feed_.reading_begins(); };
  events.on_snapshot = [this](std::vector<AccessEntry> entries) { back(std::move(entries)); };
  events.on_changes = [this](std::vector<Digest> removed, std::vector<AccessEntry> added) {
    feed_.changed(std::move(removed), std::move(added));
  };
  events.on_lost = [this](std::string why) { lost(std::move(why)); };
  return events;
}

void Service::lost(std::string why) {
  if (available_) watcher_.check();
  if (available_ || why_not_ != why) {
    common::log_warning("the database of accounts is away: {}", why);
    availability_told_ = false;
  }
  available_ = false;
  why_not_ = std::move(why);
}

void Service::back(std::vector<AccessEntry> entries) {
  common::log_debug("read {} keys and sessions", entries.size());
  feed_.snapshot(std::move(entries));
  if (available_ || hangs_) return;
  common::log_info("the database of accounts is there");
  available_ = true;
  why_not_.clear();
  availability_told_ = false;
}

void Service::receive(std::string_view packet, Clock::time_point now) {
  auto request = protocol::decode_request(packet);
  if (!request) {
    common::log_error("refused a request that this version does not know: the front-end has another version");
    protocol::Reply reply = plain_reply(Status::kBadRequest, "not a request of this version");
    reply.id = protocol::id_of_request(packet).value_or(0);
    replies_.push_back(std::move(reply));
    return;
  }
  protocol::Reply refused;
  if (!available_) {
    refused = plain_reply(Status::kUnavailable);
  } else if (coroutines_ >= kMostRequests && !protocol::is_upkeep(request->command)) {
    refused = plain_reply(Status::kBusy);
  } else {
    const auto deadline = now + std::min(milliseconds(request->deadline_ms), kLongestDeadline);
    const std::uint64_t number = ++last_number_;
    pending_.emplace(number, Pending{request->id, deadline});
    serve(number, *std::move(request), deadline);
    return;
  }
  refused.id = request->id;
  replies_.push_back(std::move(refused));
}

Detached Service::serve(std::uint64_t number, protocol::Request request, Clock::time_point deadline) {
  ++coroutines_;
  protocol::Reply reply = co_await commands_.run(request.command, deadline);
  // The front-end asks for upkeep on its own, so the fault point is for the answers that clients wait for.
  if (!protocol::is_upkeep(request.command)) common::reach(common::FaultPoint::kAccountsAboutToAnswer);
  answer(number, std::move(reply));
  --coroutines_;
}

void Service::answer(std::uint64_t number, protocol::Reply reply) {
  const auto found = pending_.find(number);
  if (found == pending_.end()) return;  // the request was answered at its deadline
  reply.id = found->second.id;
  pending_.erase(found);
  replies_.push_back(std::move(reply));
}

Detached Service::purge() {
  ++coroutines_;
  purging_ = true;
  std::vector<Digest> removed;
  auto work = [&](AccountStore& store) {
    if (store.purge(wall_clock_seconds(), removed) != Status::kOk) removed.clear();
  };
  (void)co_await stores_.run(work, WorkRank::kFirst);
  // More sessions may have expired than a transaction ends.
  if (!removed.empty()) next_purge_ = Clock::now();
  feed_.changed(std::move(removed), {});
  purging_ = false;
  --coroutines_;
}

void Service::tick(Clock::time_point now) {
  std::vector<std::uint64_t> late;
  for (const auto& [number, pending] : pending_) {
    if (pending.deadline <= now) late.push_back(number);
  }
  for (const std::uint64_t number : late) answer(number, plain_reply(Status::kDeadlineExceeded));

  const bool hang = stores_.longest_work() > kHangs;
  if (hang && !hangs_) lost("it has not answered for " + std::to_string(kHangs.count()) + " ms");
  if (!hang && hangs_) watcher_.check();
  hangs_ = hang;

  if (feed_.take_overflow()) watcher_.check();
  if (available_ && !purging_ && now >= next_purge_) {
    next_purge_ = now + kBetweenPurges;
    purge();
  }
}

Clock::time_point Service::next_tick() const {
  auto next = Clock::now() + kBetweenLooks;
  for (const auto& [number, pending] : pending_) next = std::min(next, pending.deadline);
  return next;
}

std::optional<protocol::Message> Service::next_message() {
  if (!availability_told_) {
    availability_told_ = true;
    return protocol::Availability{available_, why_not_.substr(0, protocol::kMaxReasonBytes)};
  }
  reply_is_next_ = !reply_is_next_;
  if (!reply_is_next_ || replies_.empty()) {
    if (auto message = feed_.next()) return message;
  }
  if (replies_.empty()) return std::nullopt;
  protocol::Reply reply = std::move(replies_.front());
  replies_.pop_front();
  return reply;
}

}  // namespace yolod::app::accounts
