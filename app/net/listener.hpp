// A listener is one address of the server: a TCP port or a Unix socket. This process opened it, or the service
// manager did.
//
//   open (the kernel queues connections) -> started (it accepts each) -> stopped
//
// The listener is used on the front-end's only thread. It knows nothing about the protocol.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/net/listener_role.hpp"
#include "app/net/socket_file.hpp"
#include "app/net/tls_files.hpp"
#include "common/config/server_config.hpp"
#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::net {

// Returns whether an address of the config is a TCP address, and not a unix socket.
[[nodiscard]] bool is_tcp_address(const std::string& address);

class Listener {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  struct Owner {
    // The listener calls it before it accepts a connection. After false it waits for some time and calls it again.
    std::function<bool()> has_space;
    // Receives each accepted connection. If it throws std::bad_alloc, only this connection is lost.
    std::function<void(Socket)> take;
  };

  // Opens an address of the config: "host:port" with a numeric host or localhost, "[v6]:port", "unix:/path". It
  // replaces a socket file that a dead server left behind. An Error is kSystem.
  [[nodiscard]] static common::Outcome<std::unique_ptr<Listener>> open(boost::asio::io_context& io,
                                                                       const common::ListenAddress& address,
                                                                       ListenerRole role);
  // Uses a socket that listens already. If it has a file, the listener does not remove it. An Error is kSystem.
  [[nodiscard]] static common::Outcome<std::unique_ptr<Listener>> adopt(boost::asio::io_context& io,
                                                                        common::UniqueFd listening, ListenerRole role);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  // Removes the socket file.
  ~Listener();

  // Makes later connections speak TLS. REQUIRES: is_tcp().
  void use_tls(std::unique_ptr<TlsFiles> tls);
  // Returns null if the listener has no TLS.
  [[nodiscard]] TlsFiles* tls() const { return tls_.get(); }
  [[nodiscard]] bool is_tcp() const;

  [[nodiscard]] ListenerRole role() const { return role_; }
  // Returns the URL with the port that the kernel chose: "http://127.0.0.1:8080" (https:// with TLS),
  // "unix:/run/yolod/http.sock".
  [[nodiscard]] const std::string& url() const { return url_; }

  // Begins to accept connections. Call it once. This object must outlive the handlers of the io_context.
  void start(Owner owner);
  // Accepts every connection whose connect() has returned, then closes the socket. If start() was not called, it
  // accepts none, because another process that holds the socket will accept them.
  void stop();

 private:
  Listener(boost::asio::io_context& io, ListenerRole role) : io_(io), role_(role), acceptor_(io) {}
  [[nodiscard]] boost::asio::awaitable<void> accept_all();
  void take(Socket socket);
  void remove_file();

  boost::asio::io_context& io_;
  const ListenerRole role_;
  boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol> acceptor_;
  std::optional<SocketFile> file_;  // only if this process made the file and removes it
  std::string url_;
  std::unique_ptr<TlsFiles> tls_;
  std::optional<Owner> owner_;  // set by start()
};

}  // namespace yolod::app::net
