#include "app/process/child_table.hpp"

#include <vector>

namespace yolod::app::process {

ChildTable::Entry ChildTable::add(pid_t pid, Reaped reaped) {
  const auto id = ++last_id_;
  by_pid_.insert_or_assign(pid, Known{id, std::move(reaped)});
  return {*this, pid, id};
}

ChildTable::Entry ChildTable::expect(std::function<bool(pid_t)> is_it, Reaped reaped) {
  const auto id = ++last_id_;
  expected_.emplace(id, Expected{std::move(is_it), std::move(reaped)});
  return {*this, 0, id};
}

void ChildTable::forget(pid_t pid, std::uint64_t id) {
  if (pid == 0) {
    expected_.erase(id);
  } else if (const auto known = by_pid_.find(pid); known != by_pid_.end() && known->second.id == id) {
    by_pid_.erase(known);
  }
}

bool ChildTable::reaped(pid_t pid, const Death& death) {
  if (auto known = by_pid_.extract(pid)) {
    known.mapped().reaped(death);
    return true;
  }
  // Callbacks may add and remove entries during the loop.
  std::vector<std::uint64_t> ids;
  for (const auto& [id, child] : expected_) ids.push_back(id);
  for (const auto id : ids) {
    const auto asked = expected_.find(id);
    if (asked == expected_.end()) continue;
    const auto is_it = asked->second.is_it;  // is_it may destroy the entry that holds it
    if (!is_it(pid)) continue;
    if (const auto found = expected_.extract(id)) found.mapped().reaped(death);
    return true;
  }
  return false;
}

}  // namespace yolod::app::process
