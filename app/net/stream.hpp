// A Stream is a client's connected socket, with or without TLS. The socket is non-blocking. An operation waits only if
// it can read or write nothing at once.
//
// With TLS, OpenSSL works on the socket itself (SSL_set_fd). So bytes go from the kernel through the cipher to their
// place without a buffer in between, and an idle connection holds little memory.
//
//   handshake -> reads and writes -> end
//
// REQUIRES: the process ignores SIGPIPE, because OpenSSL writes with write().
// The stream is used on the front-end's only thread. At most one read and one write wait at a time.
#pragma once

#include <array>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "app/net/client_presence.hpp"
#include "common/tls/tls_context.hpp"

struct ssl_st;  // OpenSSL's SSL

namespace yolod::app::net {

// The way in which a handshake ended.
enum class Handshake {
  kDone,
  kPlainHttp,      // the client sent HTTP without TLS
  kNoCertificate,  // the client sent no certificate, or one that no authority of client_ca has signed
  kFailed,         // the client does not speak TLS, accepts no version or cipher of the server, or is gone
};

class Stream {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  using ErrorCode = boost::system::error_code;
  using Buffers = std::array<boost::asio::const_buffer, 4>;

  // Without a context the stream is the socket. Makes the socket non-blocking. Throws std::bad_alloc.
  Stream(Socket socket, std::shared_ptr<const common::TlsContext> tls);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }
  // Returns the socket below TLS. The caller may close it or cancel its waits.
  [[nodiscard]] Socket& socket() { return socket_; }
  [[nodiscard]] int native_handle() { return socket_.native_handle(); }
  [[nodiscard]] auto get_executor() { return socket_.get_executor(); }

  // These functions read or write as many bytes as they can at once, and return the number of bytes. If there are
  // none, `failure` is would_block. If the client has ended its side, `failure` is eof.
  std::size_t read_some(boost::asio::mutable_buffer to, ErrorCode& failure);
  std::size_t write_some(const Buffers& from, ErrorCode& failure);

  // These functions do the same, but wait until there are some bytes. The completion is (ErrorCode, bytes). The event
  // loop calls the handler.
  template <typename Token>
  auto async_read_some(boost::asio::mutable_buffer to, Token&& token) {
    return boost::asio::async_initiate<Token, void(ErrorCode, std::size_t)>(
        [this](auto handler, boost::asio::mutable_buffer into) {
          if (!is_tls()) {
            socket_.async_read_some(into, std::move(handler));
          } else {
            wait_until_done([this, into](ErrorCode& failure) { return read_some(into, failure); }, std::move(handler));
          }
        },
        token, to);
  }
  template <typename Token>
  auto async_write_some(const Buffers& from, Token&& token) {
    return boost::asio::async_initiate<Token, void(ErrorCode, std::size_t)>(
        [this](auto handler, const Buffers& out) {
          if (!is_tls()) {
            socket_.async_write_some(out, std::move(handler));
          } else {
            wait_until_done([this, out](ErrorCode& failure) { return write_some(out, failure); }, std::move(handler));
          }
        },
        token, from);
  }

  // ---- the handshake of a TLS stream, before anything else ----

  // Waits until the client has sent bytes, or can receive bytes, so that the handshake can go on. The completion is
  // (ErrorCode).
  template <typename Token>
  auto async_wait_for_handshake(Token&& token) {
    return socket_.async_wait(waits_for_, std::forward<Token>(token));
  }
  // Takes the handshake as far as the bytes that have come allow. The signature in it takes 0.1 ms with ECDSA.
  // `failure` is would_block if the handshake needs more from the client; otherwise handshake() tells how it ended.
  void shake_hands(ErrorCode& failure);
  [[nodiscard]] Handshake handshake() const { return handshake_; }
  // Returns OpenSSL's reason if the handshake has failed. Never null.
  [[nodiscard]] const char* handshake_problem() const { return handshake_problem_; }
  // Returns the subject of the client's certificate, or an empty text if the client needs none.
  [[nodiscard]] std::string client_subject() const;

  // ---- the client ----

  // Returns the client's address and port, such as "127.0.0.1:40000", or "unix".
  [[nodiscard]] std::string peer_address();
  [[nodiscard]] ClientPresence client_presence();
  // Calls net::probe_client() if there is no TLS. A TLS client is gone when it has ended one side.
  void probe_client();
  // Returns whether the client has sent bytes that were not read yet.
  [[nodiscard]] bool has_unread();
  // Tells a TLS client that nothing follows. The socket stays open.
  void end();

 private:
  // Calls `work` until it does not fail with would_block, and waits for the socket in between. The handler is called
  // from the event loop, and not from within this function.
  template <typename Work, typename Handler>
  void wait_until_done(Work work, Handler handler) {
    boost::asio::async_compose<Handler, void(ErrorCode, std::size_t)>(Attempt<Work>{*this, std::move(work)}, handler,
                                                                      socket_);
  }
  template <typename Work>
  struct Attempt {
    Stream& stream;
    Work work;
    bool waited{false};
    bool posted{false};
    ErrorCode result{};
    std::size_t bytes{0};

    template <typename Self>
    void operator()(Self& self, ErrorCode failure = {}) {
      if (posted) {
        self.complete(result, bytes);
        return;
      }
      result = failure;
      if (!failure) bytes = work(result);
      if (result == boost::asio::error::would_block) {
        waited = true;
        stream.socket_.async_wait(stream.waits_for_, std::move(self));
      } else if (waited) {
        self.complete(result, bytes);
      } else {
        posted = true;
        boost::asio::post(stream.socket_.get_executor(), std::move(self));
      }
    }
  };

  // Returns whether OpenSSL may use the socket. After the socket was closed, another connection may have its number.
  [[nodiscard]] bool may_use_tls() const { return !broken_ && socket_.is_open(); }
  // Returns the failure that SSL_get_error() tells after a call that returned `result`.
  [[nodiscard]] ErrorCode failure_of(int result);

  Socket socket_;
  std::shared_ptr<const common::TlsContext> context_;
  ssl_st* tls_{nullptr};
  Socket::wait_type waits_for_{Socket::wait_read};
  Handshake handshake_{Handshake::kFailed};
  const char* handshake_problem_{"the connection ended"};
  bool broken_{false};  // after an error OpenSSL must not be called with tls_ again
};

}  // namespace yolod::app::net
