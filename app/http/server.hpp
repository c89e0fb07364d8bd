// Owns the listeners and creates a connection for each client that they accept.
//
// The server is used on the front-end's only thread and outlives its connections.
#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
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

  // Opens every address of server.listen. The kernel queues connections from then on. An Error is kSystem, or
  // kBadConfig if TLS files cannot be used.
  [[nodiscard]] common::Outcome<void> listen();
  // Opens the admin listener and begins to accept from it. With "auto", a failure is only a warning in the log.
  [[nodiscard]] common::Outcome<void> listen_for_admins();
  // Uses these listening sockets instead of listen(). If server.listen has the address of a
  // TCP socket, that entry says which TLS files it has. Otherwise it has the files of server.tls. An Error is kSystem
  // or kBadConfig.
  [[nodiscard]] common::Outcome<void> take(std::vector<common::UniqueFd> listening);
  // Begins to accept from the public listeners. Call it once.
  void start();

  // Reads the TLS files that the config names and logs what is wrong with them. Opens no address. An Error is
  // kBadConfig.
  [[nodiscard]] common::Outcome<void> check_tls() const;
  // Reads the TLS files again, which the config may name anew. Connections that are accepted later use them. If files
  // are bad, this logs the reason, and the listener keeps the certificate that it has.
  void reload_tls();
  // Does the same for files that have changed since they were read. Call it every few seconds.
  void reload_changed_tls();
  struct Certificate {
    std::string url;  // the listener's
    common::TlsContext::TimePoint not_after;
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
  // Returns the TLS files of server.listen[index], and the files of server.tls if that entry does not name any. The
  // result may be empty.
  [[nodiscard]] const common::TlsConfig& tls_files(std::size_t index) const;
  // Gives the TLS files of server.listen[index] to a TCP listener.
  [[nodiscard]] common::Outcome<void> begin_tls(net::Listener& listener, std::size_t index);
  void start(net::Listener& listener);
  void begin_connection(net::Listener::Socket socket, const net::Listener& listener);

  boost::asio::io_context& io_;
  const common::ServerConfig& config_;
  ConnectionList connections_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::map<const net::Listener*, std::size_t> index_of_;  // for listeners with TLS: their entries in server.listen
  std::vector<std::string> urls_;
  std::string admin_url_;
};

}  // namespace yolod::app::http
