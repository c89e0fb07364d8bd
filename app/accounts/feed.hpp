// Feed orders the messages that tell the front-end which keys and sessions are valid: a snapshot, then numbered
// changes. It makes each message when the socket has room for it. It does no I/O. The event loop owns it.
//
// While the watcher reads the database, the feed keeps changes and sends them after the snapshot, which may have them
// already. The reply to a request that made such a change may come before the change.
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
  // If more than `most_waiting` changes wait, the feed drops them and needs a new snapshot.
  explicit Feed(std::size_t most_waiting = 4096) : most_waiting_(most_waiting) {}

  void reading_begins();
  void snapshot(std::vector<protocol::AccessEntry> entries);
  void changed(std::vector<protocol::Digest> removed, std::vector<protocol::AccessEntry> added);

  // Returns the next message, if there is one.
  [[nodiscard]] std::optional<protocol::Message> next();

  // The front-end has missed a message, so take_overflow() returns true.
  void front_end_missed() { overflow_ = true; }
  // Returns true once after the feed has dropped changes, or after front_end_missed(). The database must be read again.
  [[nodiscard]] bool take_overflow();

 private:
  // The content of a message.
  struct Change {
    std::vector<protocol::Digest> removed;
    std::vector<protocol::AccessEntry> added;
  };
  // Changes wait while the database is read and until the whole snapshot was sent (kTold).
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
