#include "app/accounts/store_pool.hpp"

#include <algorithm>
#include <utility>

#include "common/log.hpp"

namespace yolod::app::accounts {
namespace {

using common::Clock;

constexpr common::milliseconds kIdleBeforeClosing{60'000};
constexpr common::milliseconds kFailsAtOnce{200};

}  // namespace

StorePool::StorePool(Mailbox& mailbox, const PoolSize& size, OpenStore open, std::function<void()> on_lost)
    : mailbox_(mailbox), open_(std::move(open)), on_lost_(std::move(on_lost)), queue_(mailbox, size.most_waiting) {
  for (std::size_t i = 0; i < size.most; ++i) {
    Member& member = *members_.emplace_back(std::make_unique<Member>());
    member.thread = std::thread([this, &member, kept = i < size.kept] { work(member, kept); });
  }
}

StorePool::~StorePool() {
  queue_.close();
  for (const auto& member : members_) member->thread.join();
}

Clock::duration StorePool::longest_work() const {
  auto longest = Clock::duration::zero();
  const auto now = Clock::now();
  for (const auto& member : members_) {
    const Clock::rep began = member->began;
    if (began != 0) longest = std::max(longest, now - Clock::time_point(Clock::duration(began)));
  }
  return longest;
}

bool StorePool::open(std::unique_ptr<AccountStore>& store) {
  auto opened = open_();
  if (!opened) {
    common::log_warning("{}", opened.error().message);
    return false;
  }
  store = *std::move(opened);
  ++connections_;
  return true;
}

void StorePool::close(std::unique_ptr<AccountStore>& store) {
  if (!store) return;
  store.reset();
  --connections_;
}

void StorePool::do_work(WorkQueue<AccountStore>::Work& work, std::unique_ptr<AccountStore>& store) {
  constexpr int kTries = 2;  // an idle connection may be long dead
  bool lost = false;
  WorkEnd end = WorkEnd::kUnavailable;
  for (int tries = 0; tries < kTries; ++tries) {
    const bool was_open = store != nullptr;
    const auto began = Clock::now();
    if (!was_open && !open(store)) break;
    work.perform(*store);
    end = WorkEnd::kDone;
    lost = store->lost();
    const bool in_doubt = store->left_in_doubt();
    if (lost) close(store);
    // A slow failure would be as slow again.
    if (!lost || in_doubt || !was_open || Clock::now() - began > kFailsAtOnce) break;
  }
  if (lost || end == WorkEnd::kUnavailable) mailbox_.post(on_lost_);
  work.finish(end);
}

void StorePool::work(Member& member, bool kept) {
  std::unique_ptr<AccountStore> store;
  for (;;) {
    const bool closes = store && !kept;
    auto* const work = queue_.take(closes ? std::optional(kIdleBeforeClosing) : std::nullopt);
    if (work == nullptr) {
      close(store);
      if (queue_.closed()) return;
      continue;
    }
    member.began = Clock::now().time_since_epoch().count();
    do_work(*work, store);
    member.began = 0;
  }
}

}  // namespace yolod::app::accounts
