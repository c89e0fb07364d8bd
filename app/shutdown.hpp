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
#include <cstddef>

#include "app/phase.hpp"
#include "common/clock.hpp"
#include "common/config/server_config.hpp"

namespace yolod::app {

class Shutdown {
 public:
  // The interface through which a stop uses the server (app/stoppable_server.hpp).
  class Server {
   public:
    // Tells the service manager that the server stops.
    virtual void announce_stop() = 0;
    [[nodiscard]] virtual bool any_model_was_ready() const = 0;

    virtual void stop_accepting() = 0;
    // Closes the connections that have no request.
    virtual void close_idle_connections() = 0;
    // Closes all connections, also those whose clients have not read their answers.
    virtual void close_all_connections() = 0;
    [[nodiscard]] virtual std::size_t connections() const = 0;

    // Answers each pending request with kShuttingDown. From now on no worker is started, and yolod-accounts ends.
    virtual void refuse_requests() = 0;
    virtual void ask_workers_to_stop() = 0;
    // Sends the signal to the workers, the loaders and yolod-accounts.
    virtual void signal_children(int signal) = 0;
    // Includes workers that a loader was asked to fork and that have not said hello.
    [[nodiscard]] virtual bool any_child_is_alive() const = 0;
    // Stops waiting for workers that have not said hello: they may not exist.
    virtual void forget_unseen_workers() = 0;

   protected:
    ~Server() = default;
  };
  struct Graces {
    // From the end of listening until idle connections are closed.
    std::chrono::milliseconds idle{1000};
    // From the request to exit until SIGTERM, and from SIGTERM until SIGKILL.
    std::chrono::milliseconds worker{2000};
    // From the refusal of requests until all connections are closed, and unseen workers are forgotten.
    std::chrono::milliseconds flush{500};
  };
  enum class Workers { kAsked, kKilled };

  // All arguments outlive this object, except `graces`. Shutdown sets `phase` from here on. A reload may change
  // `config`, so Shutdown reads it at each use.
  Shutdown(boost::asio::io_context& io, Phase& phase, const common::ServerConfig& config, Server& server,
           const Graces& graces);
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  void drain();
  // May be called during drain(), and again after stop(): a second call can kill workers that were asked to exit.
  void stop(Workers workers);

 private:
  void stop_listening();
  void watch_drain();
  void watch_stop();
  void press_children(int signal);

  boost::asio::io_context& io_;
  Phase& phase_;
  const common::ServerConfig& config_;
  Server& server_;
  const Graces graces_;
  boost::asio::steady_timer step_timer_;  // expires at the next step
  boost::asio::steady_timer poll_timer_;  // expires at the next check of whether a step is done
  common::Clock::time_point drain_deadline_;
  common::Clock::time_point flush_deadline_;
};

}  // namespace yolod::app
