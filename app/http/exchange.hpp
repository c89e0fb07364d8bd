// An exchange is one request and its answer. The connection reads a head, finds the route, and then does the steps
// that its exchange returns, until the answer is complete:
//
//   begin() --> kReadBody --> the body is read into room() --> body_came() --> ...
//   ... --> kNextTurn, kWriteMore or kWait, any number of them --> proceed() --> kRespond --> answered()
//
// The connection itself may end a request early. refuse() replaces the answer by an error. After client_is_gone()
// the exchange ends its wait soon.
//
// An exchange has no socket, so tests can drive each step with bytes. The connection owns the exchange from the head
// to the last byte of the answer and calls it on the front-end's only thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "app/access/caller.hpp"
#include "app/access/late_check.hpp"
#include "app/http/captures.hpp"
#include "app/http/request_head.hpp"
#include "app/http/request_target.hpp"
#include "app/http/response.hpp"
#include "common/clock.hpp"
#include "common/completion.hpp"
#include "common/config/server_config.hpp"
#include "common/outcome.hpp"

namespace yolod::app::http {

class Conversation;

// The input of begin(). Everything that it refers to is invalid once begin() returns.
struct RequestView {
  const RequestHead& head;
  const RequestTarget& target;
  const Captures& captures;
  common::Clock::time_point began;  // the time of the request's first byte
  // The connection has checked that this caller may use the route, unless `late_check` is pending.
  const access::Caller& caller;
  std::string_view request_id{};  // as the answer's X-Request-Id has it
  bool is_tls{false};             // whether the connection to this server has TLS
  // If the route has its key in the body (Route::key_in_body), the exchange must copy this object and call check()
  // before it does any work for the client; otherwise it is null.
  const access::LateCheck* late_check{nullptr};
  const common::ServerConfig* config{nullptr};

  // Returns whether the listener of this request serves the management of people and of the keys of others. Without a
  // config only the operator manages them.
  [[nodiscard]] bool may_administer() const;
};

class Exchange {
 public:
  enum class Next {
    kReadBody,   // read the body; only begin() returns this
    kNextTurn,   // let other connections run, then call proceed()
    kWriteMore,  // like kNextTurn; the connection also keeps the beginning of the answer in `response`
    kWait,       // call wait(), and proceed() when it ends
    kRespond,    // `response` is complete
    kUpgrade,    // the connection becomes a WebSocket with take_conversation(); only begin() returns this
  };
  using Resume = common::Completion<>;

  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;

  // Makes all decisions that need only the head.
  [[nodiscard]] virtual Next begin(const RequestView& request, Response& response) = 0;
  [[nodiscard]] virtual Next proceed(Response& response) = 0;
  // Calls `done` once, later and not from within wait(). The exchange must not keep `done` after that.
  virtual void wait(Resume done) = 0;
  // Returns whether client_is_gone() can end this wait. The connection checks for the client only if this is true.
  [[nodiscard]] virtual bool minds_client() const { return true; }

  // ---- the body, after kReadBody ----

  struct BodyRule {
    std::uint64_t limit_bytes;       // the connection refuses a longer body
    std::uint64_t first_room_bytes;  // the first room of a chunked body; when it is full, the body gets limit_bytes
    bool is_secret{false};           // the connection overwrites its own copies of the body
  };
  [[nodiscard]] virtual BodyRule body_rule() const = 0;
  // Returns true if there is memory for `bytes` now. room() then returns it.
  [[nodiscard]] virtual bool try_room(std::uint64_t bytes) = 0;
  // Waits until room() has `bytes` of memory. The new room replaces the room before, whose first `kept_bytes` are
  // moved to its start. The connection sends an Error to the client.
  [[nodiscard]] virtual boost::asio::awaitable<common::Outcome<void>> await_room(std::uint64_t bytes,
                                                                                 std::uint64_t kept_bytes) = 0;
  [[nodiscard]] virtual std::span<std::byte> room() const = 0;
  // Returns whether the server may evict the upload because other bodies, whose API key is still to be checked, wait
  // for memory.
  [[nodiscard]] virtual bool yields_to_unchecked() const { return false; }
  // Frees the room because no body will arrive.
  virtual void drop_room() = 0;
  // The connection calls it when the first `bytes` of room() are the whole body.
  [[nodiscard]] virtual Next body_came(std::uint64_t bytes, Response& response) = 0;

  // ---- a WebSocket, after kUpgrade ----

  // REQUIRES: begin() has returned kUpgrade. Call it once.
  [[nodiscard]] virtual std::unique_ptr<Conversation> take_conversation();

  // ---- the end ----

  // The connection calls it when the client has closed the connection and cannot read the answer. A wait may end
  // because of this call, but only after it has returned.
  virtual void client_is_gone() = 0;
  // Writes `error` in the format of this route's protocol.
  virtual void refuse(const common::Error& error, Response& response) = 0;
  // The connection calls it once, when it sends an answer with this status. The answer may come from the exchange or
  // from the connection.
  virtual void answered(int http_status) = 0;
};

// The base of exchanges that need neither a body nor a wait.
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
