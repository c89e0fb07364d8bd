#include "app/process/child_table.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <optional>
#include <vector>

namespace yolod::app::process {
namespace {

const Death kKilled{.signaled = true, .number = SIGKILL};

TEST_CASE("ChildTable: the owner of a child is notified of its death once", "[app][unit]") {
  ChildTable table;
  std::vector<int> told;
  const auto first = table.add(100, [&](const Death& death) { told.push_back(death.number); });
  const auto second = table.add(200, [&](const Death&) { told.push_back(-1); });
  CHECK(table.has(100));
  CHECK(table.reaped(100, kKilled));
  CHECK(told == std::vector<int>{SIGKILL});
  CHECK_FALSE(table.has(100));
  CHECK(table.has(200));
  CHECK_FALSE(table.reaped(100, kKilled));
  CHECK(told.size() == 1);
}

TEST_CASE("ChildTable: the death of an unknown process notifies no owner", "[app][unit]") {
  ChildTable table;
  CHECK_FALSE(table.reaped(100, kKilled));
  int asked = 0;
  const auto expected = table.expect([&](pid_t) { return ++asked == 0; }, [](const Death&) { FAIL("not its death"); });
  CHECK_FALSE(table.reaped(100, kKilled));
  CHECK(asked == 1);
  CHECK_FALSE(table.has(0));
}

TEST_CASE("ChildTable: after its entry is gone a child's death notifies no owner", "[app][unit]") {
  ChildTable table;
  bool told = false;
  {
    const auto known = table.add(100, [&](const Death&) { told = true; });
    const auto expected = table.expect([&](pid_t) { return told = true; }, [&](const Death&) { told = true; });
  }
  CHECK_FALSE(table.has(100));
  CHECK_FALSE(table.reaped(100, kKilled));
  CHECK_FALSE(told);
}

TEST_CASE("ChildTable: a late removal of an entry keeps the entry of the next child with that pid", "[app][unit]") {
  ChildTable table;
  bool told = false;
  std::optional<ChildTable::Entry> before = table.add(100, [](const Death&) {});
  CHECK(table.reaped(100, kKilled));
  const auto next = table.add(100, [&](const Death&) { told = true; });
  before.reset();
  CHECK(table.reaped(100, kKilled));
  CHECK(told);
}

TEST_CASE("ChildTable: an entry may be moved, and may be removed while its child's death is reported", "[app][unit]") {
  ChildTable table;
  ChildTable::Entry entry;
  int told = 0;
  ChildTable::Entry made = table.add(100, [&](const Death&) {
    entry = {};
    ++told;
  });
  entry = std::move(made);
  ChildTable::Entry moved(std::move(entry));
  entry = std::move(moved);
  CHECK(table.reaped(100, kKilled));
  CHECK(told == 1);
  CHECK_FALSE(table.reaped(100, kKilled));
}

TEST_CASE("ChildTable: a child with an unknown pid is found by its own answer", "[app][unit]") {
  ChildTable table;
  std::vector<int> told;
  const auto first = table.expect([](pid_t) { return false; }, [&](const Death&) { told.push_back(1); });
  const auto second = table.expect([](pid_t pid) { return pid == 100; }, [&](const Death&) { told.push_back(2); });
  const auto third = table.expect([](pid_t) -> bool { throw "it was found already"; }, [](const Death&) {});
  CHECK(table.reaped(100, kKilled));
  CHECK(told == std::vector<int>{2});
}

TEST_CASE("ChildTable: entries may be added and removed while children with unknown pids are asked", "[app][unit]") {
  ChildTable table;
  ChildTable::Entry first;
  ChildTable::Entry second;
  bool told = false;
  // The first handler learns another pid meanwhile, and ends the second entry.
  first = table.expect(
      [&](pid_t) {
        first = table.add(200, [&](const Death&) { told = true; });
        second = {};
        return false;
      },
      [](const Death&) { FAIL("its entry has gone"); });
  second = table.expect([](pid_t) -> bool { throw "its entry has gone"; }, [](const Death&) {});
  CHECK_FALSE(table.reaped(100, kKilled));
  CHECK(table.has(200));
  CHECK(table.reaped(200, kKilled));
  CHECK(told);
}

TEST_CASE("ChildTable: no two launches have the same number, and none has a loader's number", "[app][unit]") {
  ChildTable table;
  CHECK(table.new_launch_id() == 1);
  CHECK(table.new_launch_id() == 2);
}

}  // namespace
}  // namespace yolod::app::process
