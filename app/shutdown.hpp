// Sees a stop through: from the first signal until every client has its answer and every child is reaped. Then it stops
// the event loop.
//
//   drain()  draining:  the listeners close after drain_delay; idle connections have a second; what is in flight is
//                       answered until shutdown_timeout
//   stop()   stopping:  what is left is answered 503; workers are asked to go, then SIGTERM, then SIGKILL
//
// Front-end only, its one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "app/host/service_manager.hpp"
#include "app/http/server.hpp"
#include "app/phase.hpp"
#include "app/reload.hpp"
#include "app/serving/body_room.hpp"
#include "app/serving/model_registry.hpp"
#include "common/clock.hpp"
#include "common/config/server_config.hpp"

namespace yolod::app {

class Shutdown {
 public:
  // What is stopped. All outlive this object.
  struct Parts {
    http::Server& server;
    serving::ModelRegistry& models;
    serving::BodyRoom& body_room;
    Reload& reload;
    host::ServiceManager& manager;
  };
  enum class Workers { kAsked, kKilled };

  // `phase` is set from here on. `config` is that of now whenever it is looked at.
  Shutdown(boost::asio::io_context& io, Phase& phase, const common::ServerConfig& config, const Parts& parts);
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  void drain();
  // Also in the middle of drain(), and again: workers that were asked before may be killed now.
  void stop(Workers workers);

 private:
  void stop_listening();
  void watch_drain();
  void watch_stop();
  void press_workers(int signal, std::chrono::milliseconds grace);

  boost::asio::io_context& io_;
  Phase& phase_;
  const common::ServerConfig& config_;
  const Parts parts_;
  boost::asio::steady_timer step_timer_;  // until the next step
  boost::asio::steady_timer poll_timer_;  // until it is looked whether that step is done
  common::Clock::time_point drain_deadline_;
  common::Clock::time_point flush_deadline_;
};

}  // namespace yolod::app
