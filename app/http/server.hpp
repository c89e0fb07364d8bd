// The listeners and the sessions of their clients: how many there may be, and who goes when it is late or in the way.
//
// Front-end only, its one thread. Outlives its sessions.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "app/http/places.hpp"
#include "app/http/scratch.hpp"
#include "app/http/service.hpp"
#include "app/http/session.hpp"
#include "app/http/upload_pace.hpp"
#include "app/net/listener.hpp"
#include "common/config/server_config.hpp"
#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app {

class Server {
 public:
  // Admins have places of their own: they come in however many clients there are.
  static constexpr std::size_t kMostAdmins = 8;

  // All outlive this object.
  Server(boost::asio::io_context& io, Service& service, const common::ServerConfig& config,
         std::size_t connection_limit);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() = default;

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
  // Cuts off whoever is late, and uploads that have to give way to others. To be called every so often; with many
  // connections it goes on after others have had their turn.
  void check_deadlines();
  void close_idle();
  void close_all();

  [[nodiscard]] std::size_t session_count() const { return places_.all_count() + admin_places_.all_count(); }
  // "http://127.0.0.1:8080", "unix:/run/yolod/http.sock": with the ports that the kernel chose.
  [[nodiscard]] const std::vector<std::string>& urls() const { return urls_; }
  // "unix:/run/yolod/admin.sock", or empty.
  [[nodiscard]] const std::string& admin_url() const { return admin_url_; }

 private:
  friend class Session;

  void add(std::unique_ptr<Listener> listener);
  void start(Listener& listener);
  void begin_session(Listener::Socket socket, ListenerRole role);
  void check_more_deadlines();
  // Where somebody waits for room in the arena: ends the uploads that keep it longest.
  void relieve_pressure(common::Clock::time_point now);
  // For sessions.
  [[nodiscard]] Places& places(ListenerRole role) { return role == ListenerRole::kAdmin ? admin_places_ : places_; }
  [[nodiscard]] Scratch& scratch() { return scratch_; }

  boost::asio::io_context& io_;
  Service& service_;
  const common::ServerConfig& config_;
  Places places_;
  Places admin_places_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::string> urls_;
  std::string admin_url_;
  Scratch scratch_;
  bool checking_{false};               // a round of deadline checks has begun, and goes on
  std::vector<Candidate> candidates_;  // of relieve_pressure(); kept for their memory
  std::vector<Session*> uploading_;
};

}  // namespace yolod::app
