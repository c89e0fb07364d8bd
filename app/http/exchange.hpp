// One request and its answer, as a connection meets them. A connection reads a head, finds the route, and then does
// what its exchange says, until the answer is there:
//
//   begin() --> kReadBody --> the body is read into room() --> body_came() --> ...
//   ... --> kNextTurn, kWriteMore or kWait, any number of them --> proceed() --> kRespond --> answered()
//
// The connection itself may end a request early: with refuse(), which takes the place of whatever would have come, and
// client_is_gone(), after which whatever the exchange waits for ends soon.
//
// An exchange has no socket, so each of its steps can be tested with bytes. Front-end only, its one thread. The
// connection owns it, from the head to the last byte of the answer.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <span>

#include "app/http/captures.hpp"
#include "app/http/request_head.hpp"
#include "app/http/request_target.hpp"
#include "app/http/response.hpp"
#include "common/clock.hpp"
#include "common/completion.hpp"
#include "common/outcome.hpp"

namespace yolod::app::http {

// What an exchange sees of a request at first. All of it is gone when begin() returns.
struct Question {
  const RequestHead& head;
  const RequestTarget& target;
  const Captures& captures;
  common::Clock::time_point began;  // its first byte came
};

class Exchange {
 public:
  enum class Next {
    kReadBody,   // the body is to be read; only begin() returns this
    kNextTurn,   // other connections have their turn, then proceed()
    kWriteMore,  // the same, and the connection keeps the beginning of an answer that `response` holds
    kWait,       // wait(), and once that has ended proceed()
    kRespond,    // `response` is complete
  };
  using Resume = common::Completion<>;

  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;

  // Everything that the head decides.
  [[nodiscard]] virtual Next begin(const Question& question, Response& response) = 0;
  [[nodiscard]] virtual Next proceed(Response& response) = 0;
  // Calls `done` once, later: not from within wait(). The exchange must not keep it beyond that.
  virtual void wait(Resume done) = 0;
  // Whether client_is_gone() can end that wait: only then is the client looked for, and asked whether it is still
  // there.
  [[nodiscard]] virtual bool minds_client() const { return true; }

  // ---- the body, after kReadBody ----

  struct BodyRule {
    std::uint64_t limit_bytes;       // a longer body is refused
    std::uint64_t first_room_bytes;  // a chunked body gets so much room at first, and limit_bytes once that is full
  };
  [[nodiscard]] virtual BodyRule body_rule() const = 0;
  // Whether there is room now, which room() has from then on.
  [[nodiscard]] virtual bool try_room(std::uint64_t bytes) = 0;
  // Waits for room. With `kept_bytes` it takes the place of the room before, whose first bytes are moved to it. An
  // Error is what the client is told.
  [[nodiscard]] virtual boost::asio::awaitable<common::Outcome<void>> await_room(std::uint64_t bytes,
                                                                                 std::uint64_t kept_bytes) = 0;
  [[nodiscard]] virtual std::span<std::byte> room() const = 0;
  // Gives the room back: no body will come.
  virtual void drop_room() = 0;
  // The whole body lies in the first `bytes` of room().
  [[nodiscard]] virtual Next body_came(std::uint64_t bytes, Response& response) = 0;

  // ---- the end ----

  // The client has closed its connection: nobody waits for the answer. A wait may end of it, later: not from within
  // this call.
  virtual void client_is_gone() = 0;
  // Writes `error` as this route's protocol tells errors.
  virtual void refuse(const common::Error& error, Response& response) = 0;
  // An answer with that status is being sent, whether the exchange or the connection made it. Called once.
  virtual void answered(int http_status) = 0;
};

// The parts of an Exchange that a request without a body and without a wait has no use for.
class HeadExchange : public Exchange {
 public:
  [[nodiscard]] Next proceed(Response& response) override;
  void wait(Resume done) override;
  [[nodiscard]] BodyRule body_rule() const final;
  [[nodiscard]] bool try_room(std::uint64_t bytes) final;
  [[nodiscard]] boost::asio::awaitable<common::Outcome<void>> await_room(std::uint64_t bytes,
                                                                         std::uint64_t kept_bytes) final;
  [[nodiscard]] std::span<std::byte> room() const final { return {}; }
  void drop_room() final {}
  [[nodiscard]] Next body_came(std::uint64_t bytes, Response& response) final;
  [[nodiscard]] bool minds_client() const override { return false; }
  void client_is_gone() override {}
};

}  // namespace yolod::app::http
