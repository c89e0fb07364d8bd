// The front-end's children by pid. The reaper asks this table which object owns the child that has ended.
//
//   forked, pid known                 add() ----------------------------------> reaped, or its entry is destroyed
//   forked by a loader, pid unknown   expect() --its hello: add() replaces it--> the same
//                                         \--reaped before its hello was read--> the same
//
// The front-end has one table, which outlives its entries. Only the thread of the front-end may call it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "app/process/death.hpp"

namespace yolod::app::process {

class ChildTable {
 public:
  // The table calls this once, from reaped(). The process has ended, and the kernel may already have reused its pid.
  // The callback may destroy the entry.
  using Reaped = std::function<void(const Death&)>;

  // A child's entry in the table. The object that owns the child holds it. Without an entry, the table
  // reports the child's death to no object.
  class Entry {
   public:
    Entry() = default;
    Entry(Entry&& other) noexcept : table_(std::exchange(other.table_, nullptr)), pid_(other.pid_), id_(other.id_) {}
    Entry& operator=(Entry&& other) noexcept {
      std::swap(table_, other.table_);
      std::swap(pid_, other.pid_);
      std::swap(id_, other.id_);
      return *this;
    }
    ~Entry() {
      if (table_ != nullptr) table_->forget(pid_, id_);
    }

   private:
    friend class ChildTable;
    Entry(ChildTable& table, pid_t pid, std::uint64_t id) : table_(&table), pid_(pid), id_(id) {}

    ChildTable* table_{nullptr};
    pid_t pid_{0};  // 0: the pid was not known
    std::uint64_t id_{0};
  };

  ChildTable() = default;
  ChildTable(const ChildTable&) = delete;
  ChildTable& operator=(const ChildTable&) = delete;
  ~ChildTable() = default;

  // Returns a number for one more launch of a process, from 1 on. No two launches have the same number.
  [[nodiscard]] std::uint64_t new_launch_id() { return ++launches_; }

  // REQUIRES: `pid` is a child that has not been reaped yet, and the table does not have it.
  [[nodiscard]] Entry add(pid_t pid, Reaped reaped);
  // Adds a child whose pid only the child itself can tell. When a process without an entry is reaped, the table asks
  // `is_it` whether this child was that process. `is_it` may read the child's messages, and so replace or destroy
  // entries.
  [[nodiscard]] Entry expect(std::function<bool(pid_t)> is_it, Reaped reaped);

  [[nodiscard]] bool has(pid_t pid) const { return by_pid_.contains(pid); }

  // Tells the owner of `pid` that the process was reaped. Returns false if `pid` has no entry: as a subreaper, and
  // as PID 1 of a container, the front-end also reaps processes that it did not start.
  bool reaped(pid_t pid, const Death& death);

 private:
  struct Known {
    // The id of its entry. When that entry is destroyed, `pid` may already belong to another process.
    std::uint64_t id;
    Reaped reaped;
  };
  struct Expected {
    std::function<bool(pid_t)> is_it;
    Reaped reaped;
  };

  void forget(pid_t pid, std::uint64_t id);

  std::uint64_t launches_{0};
  std::uint64_t last_id_{0};
  std::map<pid_t, Known> by_pid_;
  std::map<std::uint64_t, Expected> expected_;  // by the ids of their entries
};

}  // namespace yolod::app::process
