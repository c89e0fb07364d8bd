// Owns the listeners and creates a connection for each client that they accept.
//
// The server is used on the front-end's only thread and outlives its connections.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/http/application.hpp"
#include "app/http/connection_list.hpp"
#include "app/net/listener.hpp"
#include "common/config/server_config.hpp"
#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::http {

class Server {
 public:
  // All arguments outlive this object.
  Server(boost::asio::io_context& io, Application& application, const common::ServerConfig& config,
         std::size_t connection_limit);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() = default;

  // Opens every address of server.listen. The kernel queues connections from then on. An Error is kSystem.
  [[nodiscard]] common::Outcome<void> listen();
  // Opens the admin listener and begins to accept from it. With "auto", a failure is only a warning in the log.
  [[nodiscard]] common::Outcome<void> listen_for_admins();
  // Uses these listening sockets instead of listen().
  [[nodiscard]] common::Outcome<void> take(std::vector<common::UniqueFd> listening);
  // Begins to accept from the public listeners. Call it once.
  void start();

  // Reads the files of certificates and keys again, as config.server.tls and the listeners name them now. Connections
  // that are accepted from now on use the new files. If files are bad, this logs the reason, and the listener keeps the
  // certificate that it has.
  void reload_tls();
  // Does the same for files that have changed since they were read. Call it every few seconds.
  void reload_changed_tls();
  struct Certificate {
    std::string url;  // of its listener
    net::TlsContext::TimePoint not_after;
  };
  [[nodiscard]] std::vector<Certificate> certificates() const;

  // Accepts every connection whose connect() has returned, then closes the listeners. Before start() it accepts
  // none, because another process that holds the sockets will accept them.
  void stop_accepting();
  [[nodiscard]] ConnectionList& connections() { return connections_; }
  [[nodiscard]] const ConnectionList& connections() const { return connections_; }
  // Returns the URLs of the public listeners with the ports that the kernel chose: "http://127.0.0.1:8080",
  // "unix:/run/yolod/http.sock".
  [[nodiscard]] const std::vector<std::string>& urls() const { return urls_; }
  // Returns the URL of the admin listener, such as "unix:/run/yolod/admin.sock". It is empty if there is no such
  // listener.
  [[nodiscard]] const std::string& admin_url() const { return admin_url_; }

 private:
  void add(std::unique_ptr<net::Listener> listener);
  // Reads the files of a TCP listener that is to speak TLS.
  [[nodiscard]] common::Outcome<void> begin_tls(net::Listener& listener, const common::TlsConfig& own);
  void start(net::Listener& listener);
  void begin_connection(net::Listener::Socket socket, const net::Listener& listener);

  boost::asio::io_context& io_;
  const common::ServerConfig& config_;
  ConnectionList connections_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::set<const net::Listener*> with_own_tls_;  // the others have the files of server.tls
  std::vector<std::string> urls_;
  std::string admin_url_;
};

}  // namespace yolod::app::http
