// Gives a stop access to the parts of the server.
#pragma once

#include <cstddef>

#include "app/accounts_child.hpp"
#include "app/host/service_manager.hpp"
#include "app/http/server.hpp"
#include "app/reload.hpp"
#include "app/serving/body_room.hpp"
#include "app/serving/model_registry.hpp"
#include "app/shutdown.hpp"

namespace yolod::app {

// All parts outlive it. Only the thread of the front-end may call it.
class StoppableServer final : public Shutdown::Server {
 public:
  struct Parts {
    http::Server& http;
    serving::ModelRegistry& models;
    serving::BodyRoom& body_room;
    Reload& reload;
    host::ServiceManager& manager;
    AccountsChild* accounts;  // null: the server has no accounts
  };
  explicit StoppableServer(const Parts& parts) : parts_(parts) {}

  void announce_stop() override { parts_.manager.stopping(); }
  [[nodiscard]] bool any_model_was_ready() const override { return parts_.models.any_was_ready(); }

  void stop_accepting() override { parts_.http.stop_accepting(); }
  void close_idle_connections() override { parts_.http.connections().close_idle(); }
  void close_all_connections() override { parts_.http.connections().close_all(); }
  [[nodiscard]] std::size_t connections() const override { return parts_.http.connections().count(); }

  void refuse_requests() override {
    parts_.body_room.refuse_all();
    parts_.reload.abandon({common::ErrorCode::kShuttingDown, kServerIsStopping});
    parts_.models.shut_down();
    if (parts_.accounts != nullptr) parts_.accounts->stop();
  }
  void ask_workers_to_stop() override {
    for (const auto& pool : parts_.models.pools()) pool->ask_all_to_stop();
  }
  void signal_children(int signal) override {
    for (const auto& pool : parts_.models.pools()) pool->signal_all(signal);
    if (parts_.accounts != nullptr) parts_.accounts->send_signal(signal);
  }
  [[nodiscard]] bool any_child_is_alive() const override {
    return parts_.models.any_alive() || (parts_.accounts != nullptr && parts_.accounts->is_alive());
  }
  void forget_unseen_workers() override {
    for (const auto& pool : parts_.models.pools()) pool->forget_unseen();
  }

 private:
  const Parts parts_;
};

}  // namespace yolod::app
