// Watcher watches the database with its own thread and connection. It migrates the schema, reads all valid keys and
// sessions, and hears the changes of other machines (PostgreSQL). It finds out when the database is lost and when it
// is back. It reconnects after 50 ms, then after twice as long each time, at most after half a second.
//
//   connecting -> on_reading -> on_snapshot -> watching -> connecting ...
//                                   on_changes ^  v on_lost
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "app/accounts/mailbox.hpp"
#include "app/accounts/store_pool.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::accounts {

// The event loop calls these functions.
struct WatcherEvents {
  // The watcher is about to read everything. The snapshot has every change that was made before this call.
  std::function<void()> on_reading;
  std::function<void(std::vector<AccessEntry> entries)> on_snapshot;
  // Other machines have made these changes.
  std::function<void(std::vector<Digest> removed, std::vector<AccessEntry> added)> on_changes;
  // The database does not answer. The next on_snapshot means that it is back.
  std::function<void(std::string why)> on_lost;
};

class Watcher {
 public:
  Watcher(Mailbox& mailbox, OpenStore open, WatcherEvents events);
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher();

  // Makes the watcher check the database and read everything again. Any thread may call it.
  void check();

 private:
  void run();
  // Watches until the connection is lost or the watcher stops. Returns why the connection was lost.
  std::string watch(AccountStore& store);
  bool read_all(AccountStore& store);
  bool read_changes(AccountStore& store, const std::vector<std::string>& heard);
  // Returns whether check() was called, and resets that.
  bool was_woken();
  [[nodiscard]] bool stops();
  void pause(common::milliseconds time);

  Mailbox& mailbox_;
  OpenStore open_;
  WatcherEvents events_;
  common::UniqueFd wake_;
  std::atomic<bool> stop_{false};
  common::milliseconds backoff_;
  std::thread thread_;
};

}  // namespace yolod::app::accounts
