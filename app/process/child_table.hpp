// Every child of the front-end that somebody waits for, by its pid: the one place that the reaper asks whose child has
// ended.
//
//   forked, pid known                 add() ----------------------------------> reaped, or its entry goes
//   forked by a loader, pid unknown   expect() --its hello: add() in its place--> the same
//                                         \--reaped before its hello was read--> the same
//
// The front-end has one. It outlives its entries. Front-end only, its one thread.
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
  // Called once, from reaped(): the process is gone, and its pid may already be another's. The entry may go inside.
  using Reaped = std::function<void(const Death&)>;

  // A child's place in the table, held by whoever stands for that child. Without it the child's death is told to
  // nobody.
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
    pid_t pid_{0};  // 0: it was not known
    std::uint64_t id_{0};
  };

  ChildTable() = default;
  ChildTable(const ChildTable&) = delete;
  ChildTable& operator=(const ChildTable&) = delete;
  ~ChildTable() = default;

  // A number for one more launch of a process, from 1 on: no two launches have the same.
  [[nodiscard]] std::uint64_t new_launch_id() { return ++launches_; }

  // REQUIRES: `pid` is a child that is not reaped yet, and the table does not have it.
  [[nodiscard]] Entry add(pid_t pid, Reaped reaped);
  // A child whose pid only the child itself can tell. When a process is reaped that nobody has, `is_it` is asked
  // whether it was this one. It may look for what the child has said, and so replace or end entries.
  [[nodiscard]] Entry expect(std::function<bool(pid_t)> is_it, Reaped reaped);

  [[nodiscard]] bool has(pid_t pid) const { return by_pid_.contains(pid); }

  // `pid` was reaped: its owner is told. False if nobody has it: as a subreaper, and as PID 1 of a container, this
  // process reaps strangers as well.
  bool reaped(pid_t pid, const Death& death);

 private:
  struct Known {
    std::uint64_t id;  // of its entry: the pid may be another's by the time that entry goes
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
