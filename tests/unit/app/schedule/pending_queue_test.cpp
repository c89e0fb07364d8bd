#include "app/schedule/pending_queue.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <vector>

namespace yolod::app::schedule {
namespace {

using namespace std::chrono_literals;
using common::Clock;
using Verdict = PendingQueue::Verdict;

const Clock::time_point kEpoch = Clock::time_point(1h);

std::unique_ptr<Request> request(std::uint64_t id, Clock::duration expires, Priority priority = Priority::kNormal,
                                 std::uint64_t shape = 0) {
  auto made = std::make_unique<Request>();
  made->job.id = id;
  made->job.urgency.priority = priority;
  made->queued = kEpoch + std::chrono::milliseconds(id);
  made->expires = kEpoch + expires;
  made->shape = shape;
  return made;
}

std::vector<std::uint64_t> take(PendingQueue& queue, std::size_t most) {
  std::vector<std::uint64_t> ids;
  queue.take_in_order([&](Request&) { return ids.size() < most ? Verdict::kTake : Verdict::kStop; },
                      [&](std::unique_ptr<Request> taken) { ids.push_back(taken->id()); });
  return ids;
}

using Ids = std::vector<std::uint64_t>;

TEST_CASE("PendingQueue: an empty queue has no front and gives no request", "[app][unit]") {
  PendingQueue queue;
  CHECK(queue.empty());
  CHECK(queue.front() == nullptr);
  CHECK(queue.count_like_front() == 0);
  CHECK(take(queue, 3).empty());
  CHECK(queue.remove(1) == nullptr);
}

TEST_CASE("PendingQueue: with equal timeouts the first request that came goes first", "[app][unit]") {
  PendingQueue queue;
  for (std::uint64_t id = 1; id <= 40; ++id) queue.push(request(id, 10s));
  CHECK(queue.front()->id() == 1);
  CHECK(take(queue, 3) == Ids{1, 2, 3});
  CHECK(queue.size() == 37);
  queue.push(request(2, 10s));  // a replay returns to its place
  CHECK(take(queue, 2) == Ids{2, 4});
}

TEST_CASE("PendingQueue: the request whose time ends first goes first", "[app][unit]") {
  PendingQueue queue;
  queue.push(request(1, 10s));
  queue.push(request(2, 1s));
  queue.push(request(3, 5s));
  CHECK(queue.earliest_expiry() == kEpoch + 1s);
  CHECK(queue.oldest() == kEpoch + 1ms);
  CHECK(queue.ahead_of(Priority::kNormal, kEpoch + 500ms) == 0);
  CHECK(queue.ahead_of(Priority::kNormal, kEpoch + 2s) == 1);
  CHECK(queue.ahead_of(Priority::kNormal, kEpoch + 10s) == 3);
  CHECK(take(queue, 3) == Ids{2, 3, 1});
}

TEST_CASE("PendingQueue: the queue counts the requests that will go before a request", "[app][unit]") {
  PendingQueue queue;
  for (std::uint64_t id = 1; id <= 4; ++id) queue.push(request(id, 1s));
  for (std::uint64_t id = 11; id <= 20; ++id) queue.push(request(id, 10s, Priority::kHigh));
  // The next test has them in this order: 11 12 13 1 14 15 16 2 17 18 19 3 20 4.
  CHECK(queue.ahead_of(Priority::kNormal, kEpoch) == 3);
  CHECK(queue.ahead_of(Priority::kNormal, kEpoch + 10s) == 14);
  CHECK(queue.ahead_of(Priority::kHigh, kEpoch) == 0);
  CHECK(queue.ahead_of(Priority::kHigh, kEpoch + 20s) == 13);
}

TEST_CASE("PendingQueue: the high level goes first, and every fourth request is of the normal level", "[app][unit]") {
  PendingQueue queue;
  for (std::uint64_t id = 1; id <= 4; ++id) queue.push(request(id, 1s));
  for (std::uint64_t id = 11; id <= 20; ++id) queue.push(request(id, 10s, Priority::kHigh));
  CHECK(take(queue, 14) == Ids{11, 12, 13, 1, 14, 15, 16, 2, 17, 18, 19, 3, 20, 4});
}

TEST_CASE("PendingQueue: the share of the normal level holds from one batch to the next", "[app][unit]") {
  PendingQueue queue;
  std::size_t normals = 0;
  for (std::uint64_t id = 1; id <= 8; ++id) queue.push(request(id, 1s));
  for (std::uint64_t round = 0; round < 32; ++round) {
    queue.push(request(100 + round, 1s, Priority::kHigh));
    for (const auto id : take(queue, 1)) normals += id < 100 ? 1 : 0;
  }
  CHECK(normals == 8);
}

TEST_CASE("PendingQueue: without high requests, the normal level has every place", "[app][unit]") {
  PendingQueue queue;
  for (std::uint64_t id = 1; id <= 5; ++id) queue.push(request(id, 1s));
  CHECK(take(queue, 9) == Ids{1, 2, 3, 4, 5});
  CHECK(queue.empty());
}

TEST_CASE("PendingQueue: the remaining requests keep their order, and dropped requests are gone", "[app][unit]") {
  PendingQueue queue;
  for (std::uint64_t id = 1; id <= 6; ++id) queue.push(request(id, 1s));
  Ids taken;
  queue.take_in_order(
      [](Request& one) {
        if (one.id() == 2) return Verdict::kLeave;
        if (one.id() == 3) return Verdict::kDrop;
        return one.id() == 6 ? Verdict::kStop : Verdict::kTake;
      },
      [&](std::unique_ptr<Request> one) { taken.push_back(one->id()); });
  CHECK(taken == Ids{1, 4, 5});
  CHECK(take(queue, 9) == Ids{2, 6});
}

TEST_CASE("PendingQueue: the queue counts the requests with the shape of the front", "[app][unit]") {
  PendingQueue queue;
  queue.push(request(1, 1s, Priority::kNormal, 100));
  queue.push(request(2, 2s, Priority::kNormal, 200));
  queue.push(request(3, 3s, Priority::kNormal, 100));
  CHECK(queue.count_like_front() == 2);
  (void)queue.remove(1);
  CHECK(queue.count_like_front() == 1);
  CHECK(queue.size() == 2);
}

TEST_CASE("PendingQueue: each level has its own count, and requests are removed by id or by condition", "[app][unit]") {
  PendingQueue queue;
  for (std::uint64_t id = 1; id <= 4; ++id)
    queue.push(request(id, 1s, id % 2 == 0 ? Priority::kHigh : Priority::kNormal));
  CHECK(queue.size(Priority::kHigh) == 2);
  CHECK(queue.size(Priority::kNormal) == 2);
  const auto removed = queue.remove(2);
  REQUIRE(removed);
  CHECK(removed->id() == 2);
  queue.remove_if([](Request& one) { return one.id() == 3; });
  CHECK(take(queue, 9) == Ids{4, 1});
}

}  // namespace
}  // namespace yolod::app::schedule
