#include "app/accounts/watcher.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "app/accounts/migrations.hpp"
#include "app/accounts/wall_clock.hpp"

namespace yolod::app::accounts {
namespace {

using common::milliseconds;

constexpr milliseconds kFirstBackoff{50};
constexpr milliseconds kLongestBackoff{500};
constexpr milliseconds kBetweenProbes{5'000};

}  // namespace

Watcher::Watcher(Mailbox& mailbox, OpenStore open, WatcherEvents events)
    : mailbox_(mailbox),
      open_(std::move(open)),
      events_(std::move(events)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      backoff_(kFirstBackoff),
      thread_([this] { run(); }) {}

Watcher::~Watcher() {
  stop_ = true;
  check();
  thread_.join();
}

void Watcher::check() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

bool Watcher::was_woken() {
  std::uint64_t count = 0;
  return read(wake_.get(), &count, sizeof count) > 0;
}

bool Watcher::stops() { return stop_; }

void Watcher::pause(milliseconds time) {
  pollfd stopped{wake_.get(), POLLIN, 0};
  const auto end = common::Clock::now() + time;
  while (!stops()) {
    const auto left = std::chrono::ceil<milliseconds>(end - common::Clock::now());
    if (left.count() <= 0) return;
    if (poll(&stopped, 1, static_cast<int>(left.count())) > 0) (void)was_woken();  // the watcher reconnects in any case
  }
}

void Watcher::run() {
  while (!stops()) {
    std::string why;
    if (auto store = open_()) {
      if (auto migrated = migrate((*store)->database())) {
        why = watch(**store);
      } else {
        why = migrated.error().message;
      }
    } else {
      why = store.error().message;
    }
    if (stops()) return;
    mailbox_.post([this, why = std::move(why)] { events_.on_lost(why); });
    pause(backoff_);
    backoff_ = std::min(2 * backoff_, kLongestBackoff);
  }
}

std::string Watcher::watch(AccountStore& store) {
  const std::string lost = "the database of accounts does not answer";
  // listen() comes before the reading, so that no change is missed in between.
  if (store.database().listen() != Ran::kDone || store.database().probe() != Ran::kDone) return lost;
  (void)was_woken();
  if (!read_all(store)) return lost;
  backoff_ = kFirstBackoff;
  auto probed = common::Clock::now();
  while (!stops()) {
    std::vector<std::string> heard;
    if (store.database().wait_for_changes(wake_.get(), kBetweenProbes, heard) != Ran::kDone) return lost;
    const bool asked = was_woken();
    if (stops()) return {};
    if (!heard.empty() && !read_changes(store, heard)) return lost;
    if (!asked && common::Clock::now() - probed < kBetweenProbes) continue;
    if (store.database().probe() != Ran::kDone) return lost;
    probed = common::Clock::now();
    if (asked && !read_all(store)) return lost;
  }
  return {};
}

bool Watcher::read_all(AccountStore& store) {
  mailbox_.post([this] { events_.on_reading(); });
  std::vector<AccessEntry> entries;
  if (store.read_entries(wall_clock_seconds(), entries) != Status::kOk) return false;
  // A shared pointer, because std::function copies its captures.
  auto shared = std::make_shared<std::vector<AccessEntry>>(std::move(entries));
  mailbox_.post([this, shared] { events_.on_snapshot(std::move(*shared)); });
  return true;
}

// A message is 's' or 'k' and a digest, or 'p' and the id of a person. The watcher ignores other messages.
bool Watcher::read_changes(AccountStore& store, const std::vector<std::string>& heard) {
  const auto now = wall_clock_seconds();
  auto removed = std::make_shared<std::vector<Digest>>();
  auto added = std::make_shared<std::vector<AccessEntry>>();
  const std::set<std::string> once(heard.begin(), heard.end());
  for (const std::string& message : once) {
    if (message.empty()) continue;
    const std::string_view rest = std::string_view(message).substr(1);
    if (message.front() == 'p') {
      PersonId person = 0;
      std::from_chars(rest.data(), rest.data() + rest.size(), person);
      if (store.read_entries_of(person, now, *added) != Status::kOk) return false;
    } else if (const auto digest = protocol::digest_from_hex(rest)) {
      std::optional<AccessEntry> entry;
      if (store.read_entry(*digest, now, entry) != Status::kOk) return false;
      if (entry) {
        added->push_back(*std::move(entry));
      } else {
        removed->push_back(*digest);
      }
    }
  }
  mailbox_.post([this, removed, added] { events_.on_changes(std::move(*removed), std::move(*added)); });
  return true;
}

}  // namespace yolod::app::accounts
