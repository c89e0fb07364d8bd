// Service answers the requests of the front-end and tells it the valid keys and sessions. It has no socket: it takes
// the bytes of requests and returns messages.
//
// While the database is away, it answers every request at once with kUnavailable. The database is back when the
// watcher has read everything from it. At its deadline a request is answered with kDeadlineExceeded, although its
// work may go on.
//
// The class has many members because it owns every part of the program but the socket. Their order is the reverse of
// the order in which they are destroyed.
//
// The event loop owns it. Its own threads end with it.
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
  // The service answers further requests with kBusy. It always takes the upkeep of the front-end, which sends one such
  // request at a time.
  static constexpr std::size_t kMostRequests = 256;
  static constexpr std::size_t kMostReplies =
      256;  // that wait for the front-end; then the service takes no more requests
  // If work takes longer than this, the database hangs.
  static constexpr common::milliseconds kHangs{2'500};

  // `open` makes a connection. Several threads call it.
  Service(const protocol::Settings& settings, const PoolSize& pool, const OpenStore& open);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  // Returns whether receive() may be called now.
  [[nodiscard]] bool takes_requests() const { return replies_.size() < kMostReplies; }
  // Takes a packet. It logs bytes that are no request and answers them.
  void receive(std::string_view packet, common::Clock::time_point now);
  // The descriptor is readable when open_mail() must be called.
  [[nodiscard]] int mail_descriptor() const { return mailbox_.descriptor(); }
  void open_mail() { (void)mailbox_.open(); }
  // Does the work that is due. The caller calls it at next_tick() at the latest.
  void tick(common::Clock::time_point now);
  [[nodiscard]] common::Clock::time_point next_tick() const;

  // Returns the next message for the front-end, if there is one.
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
  bool reply_is_next_{false};  // replies and feed alternate
  std::map<std::uint64_t, Pending> pending_;
  std::uint64_t last_number_{0};
  std::size_t coroutines_{0};
  bool purging_{false};
  common::Clock::time_point next_purge_;
  // The threads of the members below use the members above.
  HashingThread hashing_;
  StorePool stores_;
  Watcher watcher_;
  Commands commands_;
};

}  // namespace yolod::app::accounts
