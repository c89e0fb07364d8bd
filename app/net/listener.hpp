// A listener is one address that the server listens at: a TCP port or a unix socket. This process opened it, or the
// service manager did.
//
//   open (the kernel queues connections) -> started (each is taken) -> stopped
//
// Front-end only, its one thread. Knows nothing of what is spoken.
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
#include "common/config/server_config.hpp"
#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::net {

class Listener {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  struct Owner {
    // Asked before each connection is taken; where it says no, it is asked again a little later.
    std::function<bool()> has_space;
    // May throw std::bad_alloc, which costs that connection alone.
    std::function<void(Socket)> take;
  };

  // Opens what the config names: "host:port" with a numeric host or localhost, "[v6]:port", "unix:/path". A socket file
  // of a server that is gone is replaced. Errors are kSystem.
  [[nodiscard]] static common::Outcome<std::unique_ptr<Listener>> open(boost::asio::io_context& io,
                                                                       const common::ListenAddress& address,
                                                                       ListenerRole role);
  // A socket that listens already. Its file, if it has one, is not ours to remove.
  [[nodiscard]] static common::Outcome<std::unique_ptr<Listener>> adopt(boost::asio::io_context& io,
                                                                        common::UniqueFd listening, ListenerRole role);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  // Removes the socket file.
  ~Listener();

  [[nodiscard]] ListenerRole role() const { return role_; }
  // "http://127.0.0.1:8080", "unix:/run/yolod/http.sock": with the port that the kernel chose.
  [[nodiscard]] const std::string& url() const { return url_; }

  // Begins to take connections. Once. This object outlives whatever runs on the io_context.
  void start(Owner owner);
  // Takes every connection whose connect() has returned, then closes. One that was not started takes none: they are
  // whoever's who holds the socket as well.
  void stop();

 private:
  Listener(boost::asio::io_context& io, ListenerRole role) : io_(io), role_(role), acceptor_(io) {}
  [[nodiscard]] boost::asio::awaitable<void> accept_all();
  void take(Socket socket);
  void remove_file();

  boost::asio::io_context& io_;
  const ListenerRole role_;
  boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol> acceptor_;
  std::optional<SocketFile> file_;  // ours to remove
  std::string url_;
  std::optional<Owner> owner_;  // once started
};

}  // namespace yolod::app::net
