#include "common/lifeline.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace yolod::common {
namespace {

TEST_CASE("Lifeline: a guarded handler gets its arguments at each call", "[common][unit]") {
  const Lifeline lifeline;
  std::string told;
  auto handler = lifeline.guard([&](const std::string& text, int number) { told += text + std::to_string(number); });
  handler("a", 1);
  handler("b", 2);
  CHECK(told == "a1b2");
}

TEST_CASE("Lifeline: after the end of its object a guarded handler does nothing, and neither does a copy",
          "[common][unit]") {
  std::optional<Lifeline> lifeline{std::in_place};
  int calls = 0;
  auto handler = lifeline->guard([&] { ++calls; });
  std::function<void()> copy = handler;
  copy();
  CHECK(calls == 1);
  lifeline.reset();
  handler();
  copy();
  CHECK(calls == 1);
}

TEST_CASE("Lifeline: the object may end inside its handler", "[common][unit]") {
  struct Owner {
    int number{7};
    Lifeline lifeline;
  };
  auto owner = std::make_unique<Owner>();
  int seen = 0;
  auto handler = owner->lifeline.guard([&seen, &owner] {
    seen = owner->number;
    owner.reset();
  });
  handler();
  handler();
  CHECK(seen == 7);
}

TEST_CASE("Lifeline: a handler that can only be moved can be guarded and passed on", "[common][unit]") {
  const Lifeline lifeline;
  int got = 0;
  auto handler =
      lifeline.guard([&got, add = std::make_unique<int>(2)](std::unique_ptr<int> value) { got = *value + *add; });
  auto moved = std::move(handler);
  moved(std::make_unique<int>(5));
  CHECK(got == 7);
}

TEST_CASE("Lifeline: the end of an object affects only its own handlers", "[common][unit]") {
  std::optional<Lifeline> first{std::in_place};
  const Lifeline second;
  int calls = 0;
  auto of_first = first->guard([&] { calls += 1; });
  auto of_second = second.guard([&] { calls += 10; });
  first.reset();
  of_first();
  of_second();
  CHECK(calls == 10);
}

}  // namespace
}  // namespace yolod::common
