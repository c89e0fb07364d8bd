// Listens, accepts, and keeps count of the sessions.
//
// Front-end only, its one thread. Outlives its sessions.
#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <memory>
#include <string>
#include <vector>

#include "app/http/routes.hpp"
#include "app/http/scratch.hpp"
#include "app/http/service.hpp"
#include "app/http/session.hpp"
#include "common/config.hpp"
#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app {

class Server {
 public:
  // All outlive this object.
  Server(boost::asio::io_context& io, Service& service, const common::ServerConfig& config,
         std::size_t connection_limit);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // Opens every address of server.listen; after that the kernel queues connections. Errors are kSystem.
  [[nodiscard]] common::Outcome<void> listen();
  // Opens the admin listener and begins to accept from it. With "auto" a socket that cannot be made is a warning.
  [[nodiscard]] common::Outcome<void> listen_for_admins();
  // Takes sockets that listen already, instead.
  [[nodiscard]] common::Outcome<void> take(std::vector<common::UniqueFd> listening);
  // Begins to accept from the public listeners. Once.
  void start();

  // Takes every connection whose connect() has returned, then closes the listeners. Before start() it takes none: they
  // are whoever's who holds the sockets as well.
  void stop_accepting();
  // Cuts off whoever is late. To be called every so often.
  void check_deadlines();
  void close_idle();
  void close_all();

  [[nodiscard]] std::size_t session_count() const { return session_count_; }
  // "http://127.0.0.1:8080", "unix:/run/yolod/http.sock": with the ports that the kernel chose.
  [[nodiscard]] const std::vector<std::string>& urls() const { return urls_; }
  // "unix:/run/yolod/admin.sock", or empty.
  [[nodiscard]] const std::string& admin_url() const { return admin_url_; }

 private:
  friend class Session;
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

  struct Listener {
    std::unique_ptr<Acceptor> acceptor;
    ListenerRole role;
  };
  struct SocketFile {
    std::string path;
    dev_t device;
    ino_t inode;
  };

  [[nodiscard]] common::Outcome<void> listen_at(const std::string& address, ListenerRole role);
  void add(std::unique_ptr<Acceptor> acceptor, ListenerRole role);
  void accept_from(Listener& listener);
  [[nodiscard]] boost::asio::awaitable<void> accept_all(Acceptor& acceptor, ListenerRole role);
  void remember_socket_file(const std::string& path);
  void remove_socket_files();
  void begin_session(Session::Socket socket, ListenerRole role);
  // Sessions say of themselves what they are.
  void add(Session& session);
  void remove(Session& session);
  void now_busy(Session& session);
  void now_idle(Session& session);
  [[nodiscard]] Scratch& scratch() { return scratch_; }

  boost::asio::io_context& io_;
  Service& service_;
  const common::ServerConfig& config_;
  std::size_t connection_limit_;
  bool accepting_{false};
  std::vector<Listener> listeners_;
  std::vector<std::string> urls_;
  std::string admin_url_;
  std::vector<SocketFile> socket_files_;  // ours to unlink
  Scratch scratch_;
  // Those that are idle stand in the order in which they became so: of thousands only the first have to be looked at.
  using SessionList = boost::intrusive::list<Session, boost::intrusive::constant_time_size<false>>;
  SessionList busy_;
  SessionList idle_;
  std::size_t session_count_{0};
};

}  // namespace yolod::app
