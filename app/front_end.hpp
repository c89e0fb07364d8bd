// FrontEnd is the front-end process. It constructs the parts, handles signals, and runs the periodic work.
//
//   app/phase.hpp      the phases of the server's life
//   app/reload.hpp     a reload, from the request to the last model
//   app/shutdown.hpp   a stop, from the signal to the last child
//
// The class has many members because it owns every part of the process. Their order is the reverse of the order in
// which they are destroyed. It has many functions because each signal, each event of a model and each question of a
// route needs several of these parts.
//
// Only the process's first thread may call the front-end, and it may fork at any time: every other thread makes system
// calls only (common/system/thread_count).
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/access/gate.hpp"
#include "app/accounts_child.hpp"
#include "app/api/oip/copy_thread.hpp"
#include "app/api/oip/shared_regions.hpp"
#include "app/host/signals.hpp"
#include "app/http/application.hpp"
#include "app/http/router.hpp"
#include "app/http/server.hpp"
#include "app/models_folder.hpp"
#include "app/observe/metrics.hpp"
#include "app/phase.hpp"
#include "app/process/child_table.hpp"
#include "app/process/spawn.hpp"
#include "app/reload.hpp"
#include "app/reloadable_registry.hpp"
#include "app/routes.hpp"
#include "app/serve.hpp"
#include "app/serving/model_registry.hpp"
#include "app/serving/status.hpp"
#include "app/shutdown.hpp"
#include "app/stoppable_server.hpp"
#include "common/awake_clock.hpp"
#include "common/config/config.hpp"
#include "common/config/model_config.hpp"
#include "common/system/oom_kills.hpp"
#include "ipc/input_arena.hpp"

namespace yolod::app {

class FrontEnd final : private http::Application {
 public:
  // `open_files` is the RLIMIT_NOFILE of the workers.
  FrontEnd(const common::Config& config, ReadConfig read_again, RunMode mode, host::ServiceManager& manager,
           rlimit open_files);
  FrontEnd(const FrontEnd&) = delete;
  FrontEnd& operator=(const FrontEnd&) = delete;
  ~FrontEnd();

  // Serves until a signal stops the server, all answers are written and all children have been reaped. Returns the
  // exit code of the process. Call it once.
  [[nodiscard]] int run();

 private:
  [[nodiscard]] common::Outcome<void> start();
  [[nodiscard]] common::Outcome<void> make_arena();
  void make_models();
  void make_models_folder();
  // Reads the config, and adds the models of server.models_dir.
  [[nodiscard]] std::optional<common::Config> read_config_again();
  [[nodiscard]] common::Outcome<void> make_accounts();
  [[nodiscard]] api::account::Accounts make_account_asker();
  void pool_ready_changed();
  void gave_up(const serving::ModelPool& pool, const std::string& reason);
  void finish_check();

  void take_over(const common::Config& read);
  // Sets the limit of connections for so many workers.
  void limit_connections(std::uint64_t workers);
  void take_over_access(common::Config changed);
  // Writes the end of a reload to the audit log. `request_id` is empty after a SIGHUP.
  void audit_reload(std::string_view model, std::string_view request_id, const common::Outcome<void>& result);
  void unload(std::string_view model, Reload::Done done);
  // Returns a callback that writes the result to the audit log and passes it to `done`.
  [[nodiscard]] Reload::Done audited(access::AuditEvent::Kind kind, std::string_view model,
                                     const api::oip::Asker& asker, Reload::Done done);
  void reload_is_over();

  void on_signal(int signal);
  void reap();
  void tell_lost_time();
  void housekeep();

  // Application
  [[nodiscard]] const http::Router& router() const override { return *router_; }
  [[nodiscard]] access::Gate& gate() override { return gate_; }
  [[nodiscard]] bool draining() const override { return phase_ >= Phase::kDraining; }
  void refuse(const common::Error& error, std::string_view path, http::Response& response) override;
  void answered_without_exchange(int http_status) override { metrics_.answered_without_model(http_status); }
  void handshake_ended(net::Handshake how) override;
  [[nodiscard]] Shortage room_shortage(common::Clock::time_point now) const override;
  [[nodiscard]] Shortage unchecked_shortage(common::Clock::time_point now) override;

  // The routes call these.
  void refresh_metrics();
  [[nodiscard]] serving::ServerStatus status() const;
  [[nodiscard]] std::string summary() const;
  [[nodiscard]] bool loading_takes_its_time() const;

  // The models and the default model in this copy stay as at the start. ModelRegistry has the present models.
  common::Config config_;
  const ReadConfig read_again_;
  const RunMode mode_;
  host::ServiceManager& manager_;
  const common::Clock::time_point began_{common::AwakeClock::now()};
  common::Clock::duration lost_time_told_{0};
  common::Clock::time_point next_look_at_certificates_;
  process::SpawnSettings spawn_;
  process::ChildTable children_;
  common::OomKills oom_kills_;
  Phase phase_{Phase::kStarting};
  int exit_code_{0};
  bool all_ready_said_{false};
  // The service manager holds the sockets. Clients that connect before the models are ready wait in their backlog.
  bool accept_when_ready_{false};
  bool check_over_{false};
  std::set<const serving::ModelPool*> failed_;  // only with --check: the models that cannot be served
  std::set<int> ignored_signals_;               // signals for which a log line was already written
  observe::Metrics metrics_;
  access::Gate gate_;
  // Declared before io_, because coroutines hold blocks of the arena and are destroyed with io_.
  std::optional<ipc::InputArena> arena_;
  boost::asio::io_context io_{1};
  std::optional<serving::BodyRoom> body_room_;
  std::optional<schedule::CompletionPoll> completion_poll_;
  std::optional<serving::PoolContext> context_;
  std::optional<serving::ModelRegistry> models_;
  std::unique_ptr<AccountsChild> accounts_;  // null: the server has no accounts
  std::optional<ReloadableRegistry> reloadable_;
  std::optional<ModelsFolder> models_folder_;
  std::optional<Reload> reload_;
  api::oip::CopyThread copy_thread_{io_};
  api::oip::SharedRegions shared_regions_{config_.oip, &copy_thread_};
  std::optional<RouteParts> routes_;
  std::optional<http::Router> router_;
  std::size_t connection_limit_{0};  // the last limit that server_ was given
  http::Server server_;
  std::optional<StoppableServer> stoppable_;
  std::optional<Shutdown> shutdown_;
  std::unique_ptr<host::SignalReader> signals_;
  boost::asio::steady_timer housekeeping_timer_{io_};
};

}  // namespace yolod::app
