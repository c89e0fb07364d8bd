// Keeps an eye on the database, on a thread and over a connection of its own: brings the schema to this version, reads
// everything that may come in, hears what other machines change (PostgreSQL), and finds out when the database is lost
// and when it is back. Tries again after 50 ms, then after twice as long, at most half a second.
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

// All called on the event loop.
struct WatcherEvents {
  // Everything is about to be read. A change that was made before this call is in the snapshot that follows.
  std::function<void()> on_reading;
  std::function<void(std::vector<AccessEntry> entries)> on_snapshot;
  // What others have changed, as it is now.
  std::function<void(std::vector<Digest> removed, std::vector<AccessEntry> added)> on_changes;
  // The database does not answer; on_snapshot says when it does again.
  std::function<void(std::string why)> on_lost;
};

class Watcher {
 public:
  Watcher(Mailbox& mailbox, OpenStore open, WatcherEvents events);
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher();

  // Any thread. Looks whether the database still answers, and reads everything again.
  void check();

 private:
  void run();
  // Watches over one connection until it is lost or this is to stop. Why it was lost.
  std::string watch(AccountStore& store);
  bool read_all(AccountStore& store);
  bool read_changes(AccountStore& store, const std::vector<std::string>& heard);
  // What has been written to wake_ since.
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
