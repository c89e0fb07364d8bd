// The connections of the server: how many there may be, which of them is late or in the way of others, and what they
// share.
//
// Front-end only, its one thread. Outlives its connections.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <vector>

#include "app/http/application.hpp"
#include "app/http/places.hpp"
#include "app/http/scratch.hpp"
#include "app/http/upload_pace.hpp"
#include "app/net/listener_role.hpp"
#include "common/clock.hpp"
#include "common/config/server_config.hpp"

namespace yolod::app::http {

class ConnectionList {
 public:
  // Admins have places of their own: they come in however many clients there are.
  static constexpr std::size_t kMostAdmins = 8;

  // All outlive this object. `limit` is the most public connections.
  ConnectionList(boost::asio::io_context& io, Application& application, const common::ServerConfig& config,
                 std::size_t limit);
  ConnectionList(const ConnectionList&) = delete;
  ConnectionList& operator=(const ConnectionList&) = delete;

  // Cuts off connections that are late, and uploads that have to give way to others. To be called every so often; with
  // many connections it goes on after others have had their turn.
  void check_deadlines();
  void close_idle();
  void close_all();
  [[nodiscard]] std::size_t count() const { return public_.all_count() + admin_.all_count(); }

  // ---- for its connections ----
  [[nodiscard]] Application& application() { return application_; }
  [[nodiscard]] const common::ServerConfig& config() const { return config_; }
  [[nodiscard]] Places& places(net::ListenerRole role) { return role == net::ListenerRole::kAdmin ? admin_ : public_; }
  [[nodiscard]] Scratch& scratch() { return scratch_; }

 private:
  void check_more_deadlines();
  // Where a body waits for room in the arena: ends the uploads that keep it longest.
  void relieve_pressure(common::Clock::time_point now);

  boost::asio::io_context& io_;
  Application& application_;
  const common::ServerConfig& config_;
  Places public_;
  Places admin_;
  Scratch scratch_;
  bool checking_{false};               // a round of deadline checks has begun, and goes on
  std::vector<Candidate> candidates_;  // of relieve_pressure(); kept for their memory
  std::vector<Place*> uploading_;
};

}  // namespace yolod::app::http
