// In which order the front-end is told who may come in: a snapshot, then each change, numbered. Made message by
// message, as the socket takes them. Pure; owned by the event loop.
//
// While the database is being read, changes are kept: they follow the snapshot, which may or may not have them already.
// A reply to a request that made one of these may come before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "app/accounts/protocol/messages.hpp"

namespace yolod::app::accounts {

class Feed {
 public:
  // More waiting changes than these are dropped for a new snapshot.
  explicit Feed(std::size_t most_waiting = 4096) : most_waiting_(most_waiting) {}

  void reading_begins();
  void snapshot(std::vector<protocol::AccessEntry> entries);
  void changed(std::vector<protocol::Digest> removed, std::vector<protocol::AccessEntry> added);

  // The next message, or nothing until something happens.
  [[nodiscard]] std::optional<protocol::Message> next();

  // True once after changes were dropped: everything must be read again.
  [[nodiscard]] bool take_overflow();

 private:
  // Of one message each.
  struct Change {
    std::vector<protocol::Digest> removed;
    std::vector<protocol::AccessEntry> added;
  };
  // reading: changes_ wait. streaming: they wait for the snapshot's end. told: they go out.
  enum class State { kNothing, kBegin, kEntries, kTold };

  const std::size_t most_waiting_;
  State state_{State::kNothing};
  bool reading_{false};
  bool overflow_{false};
  std::uint64_t version_{0};
  std::vector<protocol::AccessEntry> entries_;
  std::size_t told_{0};
  std::deque<Change> changes_;
};

}  // namespace yolod::app::accounts
