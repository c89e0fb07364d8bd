// Shutdown carries out a stop, from the first signal until every client has its answer and every child has been
// reaped. Then it stops the event loop.
//
//   drain()  draining:  the listeners close after drain_delay; idle connections close a second later; pending
//                       requests are answered until shutdown_timeout
//   stop()   stopping:  pending requests are answered with 503; workers are asked to exit, then get SIGTERM, and
//                       then SIGKILL
//
// The front-end owns it. Only the thread of the front-end may call it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "app/accounts_child.hpp"
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
  // The parts that a stop needs. They outlive this object.
  struct Parts {
    http::Server& server;
    serving::ModelRegistry& models;
    serving::BodyRoom& body_room;
    Reload& reload;
    host::ServiceManager& manager;
    AccountsChild* accounts;  // null: the server has no accounts
  };
  enum class Workers { kAsked, kKilled };

  // Shutdown sets `phase` from here on. A reload may change `config`, so Shutdown reads it at each use.
  Shutdown(boost::asio::io_context& io, Phase& phase, const common::ServerConfig& config, const Parts& parts);
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  void drain();
  // May be called during drain(), and again after stop(): a second call can kill workers that were asked to exit.
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
  boost::asio::steady_timer step_timer_;  // expires at the next step
  boost::asio::steady_timer poll_timer_;  // expires at the next check of whether a step is done
  common::Clock::time_point drain_deadline_;
  common::Clock::time_point flush_deadline_;
};

}  // namespace yolod::app
