// Answers the front-end's requests, and tells it who may come in. Without a socket: bytes of requests go in, messages
// come out.
//
// The database away, what would ask it is answered kUnavailable at once; it is back as soon as everything was read from
// it again. A request that is not answered by its deadline is answered kDeadlineExceeded, and what it has begun goes
// on.
//
// Owned by the event loop, one thread; its threads end with it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "app/accounts/commands.hpp"
#include "app/accounts/failed_logins.hpp"
#include "app/accounts/feed.hpp"
#include "app/accounts/hashing_thread.hpp"
#include "app/accounts/mailbox.hpp"
#include "app/accounts/protocol/codec.hpp"
#include "app/accounts/protocol/settings.hpp"
#include "app/accounts/store_pool.hpp"
#include "app/accounts/watcher.hpp"
#include "common/clock.hpp"

namespace yolod::app::accounts {

class Service {
 public:
  static constexpr std::size_t kMostRequests = 256;  // under way; more are answered kBusy
  static constexpr std::size_t kMostReplies = 256;   // that the front-end has not taken: no more requests are read
  // Work of the database that takes longer: it hangs.
  static constexpr common::milliseconds kHangs{2'500};

  // `open` makes a connection; any thread calls it.
  Service(const protocol::Settings& settings, const PoolSize& pool, const OpenStore& open);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  // Whether another request may be given to it now.
  [[nodiscard]] bool takes_requests() const { return replies_.size() < kMostReplies; }
  // One packet. Bytes that are no request are logged, and answered where they have an id.
  void receive(std::string_view packet, common::Clock::time_point now);
  // Readable when open_mail() has something to do.
  [[nodiscard]] int mail_descriptor() const { return mailbox_.descriptor(); }
  void open_mail() { (void)mailbox_.open(); }
  // What is due by now. To be called at next_tick() at the latest.
  void tick(common::Clock::time_point now);
  [[nodiscard]] common::Clock::time_point next_tick() const;

  // The next message for the front-end, if there is one.
  [[nodiscard]] std::optional<protocol::Message> next_message();

  [[nodiscard]] std::size_t under_way() const { return coroutines_; }
  [[nodiscard]] bool available() const { return available_; }

 private:
  struct Pending {
    std::uint64_t id;
    common::Clock::time_point deadline;
  };
  Detached serve(std::uint64_t number, protocol::Request request, common::Clock::time_point deadline);
  Detached purge();
  void answer(std::uint64_t number, protocol::Reply reply);
  void lost(std::string why);
  void back(std::vector<AccessEntry> entries);
  [[nodiscard]] WatcherEvents watcher_events();

  const protocol::Settings& settings_;
  Mailbox mailbox_;
  FailedLogins attempts_;
  Feed feed_;
  bool available_{false};
  bool availability_told_{false};
  std::string why_not_{"the database of accounts has not been opened yet"};
  bool hangs_{false};
  std::deque<protocol::Reply> replies_;
  bool reply_is_next_{false};  // replies and the feed take turns
  std::map<std::uint64_t, Pending> pending_;
  std::uint64_t last_number_{0};
  std::size_t coroutines_{0};
  bool purging_{false};
  common::Clock::time_point next_purge_;
  // Their threads use what is above.
  HashingThread hashing_;
  StorePool stores_;
  Watcher watcher_;
  Commands commands_;
};

}  // namespace yolod::app::accounts
