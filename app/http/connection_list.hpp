// Holds the server's connections. The list limits their number, ends connections that exceed a timeout, evicts
// uploads for other uploads, and owns the objects that all connections share.
//
// The list is used on the front-end's only thread and outlives its connections.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <vector>

#include "app/http/application.hpp"
#include "app/http/handshake_turns.hpp"
#include "app/http/places.hpp"
#include "app/http/scratch.hpp"
#include "app/http/upload_pace.hpp"
#include "app/net/listener_role.hpp"
#include "common/clock.hpp"
#include "common/config/server_config.hpp"

namespace yolod::app::http {

class ConnectionList {
 public:
  // Admins have separate places, so that clients cannot keep them out.
  static constexpr std::size_t kMostAdmins = 8;

  // All arguments outlive this object. `limit` is the most public connections.
  ConnectionList(boost::asio::io_context& io, Application& application, const common::ServerConfig& config,
                 std::size_t limit);
  ConnectionList(const ConnectionList&) = delete;
  ConnectionList& operator=(const ConnectionList&) = delete;

  // Ends connections that exceed a timeout, and evicts uploads while other bodies wait for memory. The front-end
  // calls it periodically. With many connections it continues in later turns of the event loop.
  void check_deadlines();
  // Sets the most public connections. If there are more, the call closes some of them, and check_deadlines() closes the
  // others.
  void set_limit(std::size_t limit);
  void close_idle();
  void close_all();
  [[nodiscard]] std::size_t count() const { return public_.all_count() + admin_.all_count(); }

  // ---- for its connections ----
  [[nodiscard]] Application& application() { return application_; }
  [[nodiscard]] const common::ServerConfig& config() const { return config_; }
  [[nodiscard]] Places& places(net::ListenerRole role) { return role == net::ListenerRole::kAdmin ? admin_ : public_; }
  [[nodiscard]] Scratch& scratch() { return scratch_; }
  [[nodiscard]] HandshakeTurns& handshake_turns() { return handshake_turns_; }

 private:
  void check_more_deadlines();
  // If a body waits for memory, evicts the uploads that would hold theirs for longest.
  void relieve_pressure(common::Clock::time_point now);
  // `only_unchecked`: only uploads that yield to bodies whose API key is still to be checked.
  void evict_uploads(const Application::Shortage& shortage, bool only_unchecked, common::Clock::time_point now);

  boost::asio::io_context& io_;
  Application& application_;
  const common::ServerConfig& config_;
  Places public_;
  Places admin_;
  Scratch scratch_;
  bool checking_{false};               // a round of deadline checks is in progress
  std::vector<Candidate> candidates_;  // for relieve_pressure(); kept for their memory
  std::vector<Place*> uploading_;
  HandshakeTurns handshake_turns_;  // the last member, because it may hold connections, which leave their places
};

}  // namespace yolod::app::http
