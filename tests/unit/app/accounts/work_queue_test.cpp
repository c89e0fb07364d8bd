#include "app/accounts/work_queue.hpp"

#include <catch2/catch.hpp>
#include <coroutine>
#include <deque>
#include <string>

#include "app/accounts/mailbox.hpp"

namespace yolod::app::accounts::work_queue_test {
namespace {

struct Nothing {};
using Queue = WorkQueue<Nothing>;

TEST_CASE("WorkQueue: after four pieces of the first rank, one of the other rank is done", "[accounts][unit]") {
  Mailbox mailbox;
  Queue queue(mailbox, 8);
  std::string order;
  const auto add_f = [](void* text, Nothing& /*nothing*/) { *static_cast<std::string*>(text) += 'f'; };
  const auto add_n = [](void* text, Nothing& /*nothing*/) { *static_cast<std::string*>(text) += 'n'; };
  std::deque<Queue::Work> works;
  for (int i = 0; i < 2; ++i) works.emplace_back(queue, WorkRank::kNormal, add_n, &order);
  for (int i = 0; i < 6; ++i) works.emplace_back(queue, WorkRank::kFirst, add_f, &order);
  for (auto& work : works) REQUIRE(work.await_suspend(std::noop_coroutine()));
  CHECK(queue.waiting() == 8);
  Nothing nothing;
  for (int i = 0; i < 8; ++i) queue.take()->perform(nothing);
  CHECK(order == "ffffnffn");
  CHECK(queue.waiting() == 0);
}

TEST_CASE("WorkQueue: the ranks have separate places", "[accounts][unit]") {
  Mailbox mailbox;
  Queue queue(mailbox, 1);
  auto work = [](Nothing& /*nothing*/) {};
  auto normal = queue.run(work);
  auto too_many = queue.run(work);
  auto first = queue.run(work, WorkRank::kFirst);
  CHECK(normal.await_suspend(std::noop_coroutine()));
  CHECK_FALSE(too_many.await_suspend(std::noop_coroutine()));
  CHECK(too_many.await_resume() == WorkEnd::kBusy);
  CHECK(first.await_suspend(std::noop_coroutine()));
}

}  // namespace
}  // namespace yolod::app::accounts::work_queue_test
