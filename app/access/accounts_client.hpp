// AccountsClient is the front-end's end of the socket to yolod-accounts. It sends requests, hands out the replies, and
// feeds the table of valid keys and sessions. It never blocks and holds no database.
//
//   away --connected()--> greeting --hello--> there --the socket ends, or broken--> away ...
//                             \_________________________________________________/^
//
// Every request gets exactly one reply, later and not from within ask():
//
//   - yolod-accounts is away, or too many requests wait: kUnavailable or kBusy at once
//   - its own reply. A reply that opens or ends a session, or makes or revokes a key, waits until the front-end's own
//     table shows that, so that the client's next request finds it
//   - yolod-accounts ends while it works on the request: kUnavailable if nothing can have changed, else
//     kDeadlineExceeded with the reason, because the change may have been made
//
// yolod-accounts answers each request by its deadline. If it does not, it hangs: the client reports that as broken,
// and the owner kills the process. So the client also asks something when no person does.
//
// The class has many members because a reply is complete only in connection with the state of the socket, the requests
// that wait, and the feed.
//
// The front-end owns it and uses it on its only thread. Deadlines are on AwakeClock.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/accounts/protocol/codec.hpp"
#include "app/accounts/protocol/messages.hpp"
#include "common/clock.hpp"
#include "common/completion.hpp"
#include "common/lifeline.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::access {

// The table of keys and sessions, which the client feeds.
struct KnownKeys {
  // Applies a SnapshotBegin, SnapshotEntries, SnapshotEnd or Changes. Returns false if a message before it is missing.
  std::function<bool(const accounts::protocol::Message& message)> apply;
  // The messages of another process follow. The old entries stay valid until the first snapshot is complete.
  std::function<void()> begin_again;
  // yolod-accounts does not tell of changes from now on, until a snapshot is complete.
  std::function<void(common::Clock::time_point now)> lost;
  std::function<bool(const accounts::protocol::Digest& digest)> has;
  std::function<bool(accounts::protocol::KeyId key)> has_key;
  // Returns the next uses for yolod-accounts; often there are none.
  std::function<accounts::protocol::Touch()> next_touches;
};

class AccountsClient {
 public:
  using Done = common::Completion<accounts::protocol::Reply>;
  struct Events {
    // The process has said hello.
    std::function<void()> ready;
    // The process did what a correct process does not do, or hangs. It must be killed. The text is a constant.
    std::function<void(std::string_view why)> broken;
    // The process has closed its end.
    std::function<void()> closed;
  };

  // How many answers the client gives at once, when yolod-accounts has ended.
  static constexpr int kAnswersAtOnce = 16;
  // The most messages that the client reads in one turn of the event loop. Each has at most kMaxEntries entries.
  static constexpr int kMessagesAtOnce = 8;
  static constexpr std::chrono::milliseconds kDeadline{10'000};
  // yolod-accounts hangs if it has not answered this long after the deadline of a request.
  static constexpr std::chrono::milliseconds kPatience{2'000};
  // The client tells uses this often, also if there are none, to see whether yolod-accounts still answers. Such a
  // request has a shorter deadline.
  static constexpr std::chrono::milliseconds kBetweenTouches{5'000};
  static constexpr std::chrono::milliseconds kTouchDeadline{3'000};
  // A reply waits at most this long for the table.
  static constexpr std::chrono::milliseconds kTablePatience{2'000};
  // The process must send a new snapshot within this time after the client has asked for it.
  static constexpr std::chrono::milliseconds kSnapshotPatience{30'000};

  // At most `most_requests` of clients wait for a reply; each takes up to 1.5 KiB. If there are as many as
  // connections, no client keeps another client out. The process refuses a log-in within 20 us when it has no
  // place (app/accounts/hashing_thread.hpp).
  AccountsClient(boost::asio::io_context& io, std::size_t most_requests, KnownKeys known, Events events);
  AccountsClient(const AccountsClient&) = delete;
  AccountsClient& operator=(const AccountsClient&) = delete;
  ~AccountsClient() = default;

  // A new process was started; `socket` is the front-end's end.
  void connected(common::UniqueFd socket);
  // Closes the socket: the process is gone, or is to end.
  void disconnect();

  void ask(accounts::protocol::Command command, Done done);
  // Does the work that is due. Call it about every 100 ms.
  void tick(common::Clock::time_point now);

  // Returns whether yolod-accounts is there and has its database.
  [[nodiscard]] bool available() const { return hello_.has_value() && available_; }
  // Returns what the process said about itself, if it is there.
  [[nodiscard]] const std::optional<accounts::protocol::Hello>& hello() const { return hello_; }
  [[nodiscard]] std::size_t pending_count() const { return pending_.size() + held_.size(); }

 private:
  struct Pending {
    Done done;
    common::Clock::time_point deadline;
    bool changes{false};  // whether the request may change something
    // The table must lose this session and this key before the client hears of success.
    std::optional<accounts::protocol::Digest> ends_session;
    accounts::protocol::KeyId ends_key{0};
  };
  struct Held {
    accounts::protocol::Reply reply;
    Pending request;
    std::optional<accounts::protocol::Digest> begins;
    common::Clock::time_point until;
  };
  struct Packet {
    std::uint64_t id;
    accounts::protocol::Secret bytes;
  };
  // The requests of a process that has ended. They are answered in pieces, because there may be thousands.
  struct Abandoned {
    std::map<std::uint64_t, Pending> pending;
    std::deque<Packet> unsent;
  };

  void send(accounts::protocol::Command command, std::chrono::milliseconds deadline, Done done);
  void answer(Done done, accounts::protocol::Reply reply);
  static void answer_abandoned(boost::asio::io_context& io, std::shared_ptr<Abandoned> abandoned);
  void await_messages();
  void read_some();
  [[nodiscard]] bool take(accounts::protocol::Message& message);
  [[nodiscard]] bool take_reply(accounts::protocol::Reply& reply);
  void take_feed(const accounts::protocol::Message& message);
  void ask_for_snapshot();
  [[nodiscard]] bool waits_for_table(const Held& held, common::Clock::time_point now) const;
  void deliver_held(common::Clock::time_point now);
  void write_some();
  void await_room();
  void break_off(std::string_view why);

  boost::asio::io_context& io_;
  const std::size_t most_requests_;
  const KnownKeys known_;
  const Events events_;
  std::optional<boost::asio::posix::stream_descriptor> socket_;
  std::uint64_t connection_{0};  // how many sockets there were; a handler of an earlier one does nothing
  bool broken_{false};
  std::optional<accounts::protocol::Hello> hello_;
  bool available_{false};
  std::uint64_t last_id_{0};
  std::map<std::uint64_t, Pending> pending_;
  std::vector<Held> held_;
  std::deque<Packet> unsent_;
  bool awaits_room_{false};
  common::Clock::time_point next_touch_{};
  bool touching_{false};
  std::optional<common::Clock::time_point> snapshot_due_;  // set while the client waits for a new snapshot
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::access
