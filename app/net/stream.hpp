// A client's connected socket, with or without TLS. The socket is non-blocking; what can be done at once is done at
// once.
//
// TLS: OpenSSL works on the socket itself (SSL_set_fd), so bytes go from the kernel through the cipher to their place
// without a buffer between.
//
//   handshake -> reads and writes -> end
//
// REQUIRES: the process ignores SIGPIPE, since OpenSSL writes with write().
// Front-end only, its one thread. One read or write waits at a time.
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
#include <utility>

#include "app/net/client_presence.hpp"
#include "app/net/tls_context.hpp"

struct ssl_st;  // OpenSSL's SSL

namespace yolod::app::net {

// How a handshake ended.
enum class Handshake {
  kDone,
  kPlainHttp,      // the client sent HTTP without TLS
  kNoCertificate,  // the client sent none, or one that no authority of client_ca signed
  kFailed,         // the client speaks no TLS, none that the server takes, or is gone
};

class Stream {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  using ErrorCode = boost::system::error_code;
  using Buffers = std::array<boost::asio::const_buffer, 2>;

  // With a null context the stream is the socket. Makes the socket non-blocking. Throws std::bad_alloc.
  Stream(Socket socket, std::shared_ptr<const TlsContext> tls);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }
  // The socket below: to close it, to cancel what waits, and for what TLS does not change.
  [[nodiscard]] Socket& socket() { return socket_; }
  [[nodiscard]] int native_handle() { return socket_.native_handle(); }
  [[nodiscard]] auto get_executor() { return socket_.get_executor(); }

  // Each does what can be done at once and returns how many bytes that was. `failure` is would_block if that was
  // nothing, eof when the client has ended its side.
  std::size_t read_some(boost::asio::mutable_buffer to, ErrorCode& failure);
  std::size_t write_some(const Buffers& from, ErrorCode& failure);

  // The same, and wait where nothing can be done at once. Completion: (ErrorCode, bytes).
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
  // Of a TLS stream, before anything else. Completion: (ErrorCode, 0): no failure where handshake() is kDone.
  template <typename Token>
  auto async_handshake(Token&& token) {
    return boost::asio::async_initiate<Token, void(ErrorCode, std::size_t)>(
        [this](auto handler) {
          wait_until_done([this](ErrorCode& failure) { return shake_hands(failure); }, std::move(handler));
        },
        token);
  }
  [[nodiscard]] Handshake handshake() const { return handshake_; }

  [[nodiscard]] ClientPresence client_presence();
  // See net::probe_client(). Does nothing with TLS, whose clients end both sides at once.
  void probe_client();
  // Whether bytes of the client have come that nobody has read.
  [[nodiscard]] bool has_unread();
  // Tells a TLS client that nothing follows. The socket stays open.
  void end();

 private:
  // Tries `work` until it does not fail with would_block, and waits for the socket in between. The handler is called
  // from the event loop, never from here.
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

  std::size_t shake_hands(ErrorCode& failure);
  // What SSL_get_error() says of a call that returned `result`.
  [[nodiscard]] ErrorCode failure_of(int result);

  Socket socket_;
  std::shared_ptr<const TlsContext> context_;
  ssl_st* tls_{nullptr};
  Socket::wait_type waits_for_{Socket::wait_read};
  Handshake handshake_{Handshake::kFailed};
  bool broken_{false};  // nothing more may be asked of tls_
};

}  // namespace yolod::app::net
