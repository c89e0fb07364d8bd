#include "app/front_end.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

#include "app/access/door_feed.hpp"
#include "app/fixed_settings.hpp"
#include "app/host/open_files.hpp"
#include "app/process/reaper.hpp"
#include "app/serving/memory_check.hpp"
#include "app/unsafe_settings.hpp"
#include "common/awake_clock.hpp"
#include "common/config/worker_threads.hpp"
#include "common/log.hpp"
#include "common/loop_turns.hpp"
#include "common/system/cpu_count.hpp"
#include "common/system/sibling_program.hpp"
#include "common/version.hpp"

namespace yolod::app {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using common::AwakeClock;
using common::Clock;
using common::Outcome;
using std::chrono::milliseconds;

constexpr int kExitCannotServe = 1;
constexpr int kExitBadConfig = 2;
constexpr milliseconds kHousekeepingPeriod{100};
// The front-end looks for changed certificates at this interval.
constexpr std::chrono::seconds kCertificatePeriod{2};

std::uint64_t count_workers(const std::vector<common::ModelConfig>& models) {
  std::uint64_t workers = 0;
  for (const auto& model : models) workers += model.workers;
  return workers;
}

// Returns max_connections, or fewer if RLIMIT_NOFILE does not allow that many. The connections for health checks and
// admins come first, and the objects of shared memory that clients may register.
std::size_t connection_limit(const common::Config& config, std::uint64_t workers) {
  rlimit open_files{};
  if (getrlimit(RLIMIT_NOFILE, &open_files) != 0) return config.server.max_connections;
  std::size_t reserved = http::Places::kReserve + http::ConnectionList::kMostAdmins;
  if (!config.oip.shared_memory.empty()) reserved += api::oip::SharedRegions::kMostObjects;
  return host::connections_within(open_files.rlim_cur, workers, reserved, config.server.max_connections);
}

common::LoopTurns::Clock clock_of_turns() {
  using TurnClock = common::LoopTurns::Clock;
#ifdef YOLOD_FAULT_POINTS
  return TurnClock::kProcessor;
#else
  const char* const wanted = std::getenv("YOLOD_LOOP_CLOCK");
  return wanted != nullptr && std::string_view(wanted) == "processor" ? TurnClock::kProcessor : TurnClock::kWall;
#endif
}

}  // namespace

int serve(const common::Config& config, ReadConfig read_again, RunMode mode, host::ServiceManager& manager,
          rlimit open_files) {
  return FrontEnd(config, std::move(read_again), mode, manager, open_files).run();
}

FrontEnd::FrontEnd(const common::Config& config, ReadConfig read_again, RunMode mode, host::ServiceManager& manager,
                   rlimit open_files)
    : config_(config),
      read_again_(std::move(read_again)),
      mode_(mode),
      manager_(manager),
      gate_(config.access),
      server_(io_, *this, config_.server, config.server.max_connections) {
  limit_connections(count_workers(config.models));
  spawn_.open_files = open_files;
  if (mode == RunMode::kCheck) manager_.ignore();  // a check is not a start of the service
}

FrontEnd::~FrontEnd() = default;

int FrontEnd::run() {
  // Another user than the server's may run a check, and must not make the server's file.
  if (mode_ == RunMode::kCheck) config_.access.audit_log.clear();
  const auto reader = mode_ == RunMode::kCheck ? access::KeyFileReader::kCheck : access::KeyFileReader::kServer;
  if (auto opened = gate_.open(config_, reader); !opened) {
    common::log_error("cannot start: {}", opened.error().message);
    return opened.error().code == common::ErrorCode::kBadConfig ? kExitBadConfig : kExitCannotServe;
  }
  if (auto started = start(); !started) {
    common::log_error("cannot start: {}", started.error().message);
    return started.error().code == common::ErrorCode::kForbidden ? kExitBadConfig : kExitCannotServe;
  }
  try {
    common::loop_turns.watch(clock_of_turns());
    io_.run();
  } catch (const std::exception& failure) {
    // An invariant is broken. The service manager restarts the server, and the kernel kills the workers.
    common::log_error("unexpected: {}", failure.what());
    common::flush_log();
    std::abort();
  }
  gate_.audit().write({access::AuditEvent::Kind::kStop});
  common::log_info("stopped");
  return exit_code_;
}

Outcome<void> FrontEnd::start() {
  const std::string worker_program(process::spec_of(process::ChildKind::kWorker).program);
  auto found = common::find_sibling_program(worker_program);
  if (!found) return found.error();
  spawn_.programs[worker_program] = std::move(*found);
  spawn_.thread_wait = common::how_threads_wait(config_.models, common::usable_cpu_count());
  // When a loader's intermediate process has exited, the forked worker becomes a child of the subreaper, which is
  // this process.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return common::last_system_error("PR_SET_CHILD_SUBREAPER");
  if (auto made = make_arena(); !made) return made;
  auto signals = host::SignalReader::open(io_, [this](int signal) { on_signal(signal); });
  if (!signals) return signals.error();
  signals_ = std::move(*signals);
  if (mode_ == RunMode::kServe) {
    auto handed_over = manager_.take_sockets();
    accept_when_ready_ = !handed_over.empty();
    if (accept_when_ready_) common::log_info("the service manager's sockets are used, not server.listen");
    auto listening = handed_over.empty() ? server_.listen() : server_.take(std::move(handed_over));
    if (!listening) return listening;
    if (accept_when_ready_) {
      if (auto safe = check_open_addresses(config_, server_.urls()); !safe) return safe;
    }
    for (const std::string& url : server_.urls()) common::log_info("yolod {} listening on {}", common::kVersion, url);
    gate_.audit().write({access::AuditEvent::Kind::kStart});
    if (auto administered = server_.listen_for_admins(); !administered) return administered;
  }
  if (mode_ == RunMode::kCheck) {
    if (auto checked = server_.check_tls(); !checked) return checked;
  }
  if (auto made = make_accounts(); !made) return made;
  make_models();
  if (models_folder_) {
    if (auto watched = models_folder_->start(); !watched) return watched;
  }
  phase_ = Phase::kServing;
  if (!accept_when_ready_) server_.start();
  (void)AwakeClock::now();
  lost_time_told_ = AwakeClock::lost();  // a slow start is not lost time
  if (accounts_) accounts_->start();
  models_->start(mode_ == RunMode::kCheck ? process::Start::kCandidate : process::Start::kServing);
  housekeep();  // not earlier: it destroys models that were not started
  return {};
}

// Returns text for the service manager, such as "traffic-lights 2 of 2 workers, faces 0 of 4 workers".
std::string FrontEnd::summary() const {
  if (phase_ >= Phase::kDraining) return "stopping";
  std::string text;
  for (const auto& model : status().models) {
    text += fmt::format("{}{} {} of {} workers", text.empty() ? "" : ", ", model.name, model.workers_ready,
                        model.workers_wanted);
  }
  return text;
}

// The service manager does not wait longer than load_timeout for a model whose loads fail again and again.
bool FrontEnd::loading_takes_its_time() const {
  const auto slowest = std::max_element(config_.models.begin(), config_.models.end(), [](const auto& a, const auto& b) {
                         return a.load_timeout < b.load_timeout;
                       })->load_timeout;
  return phase_ == Phase::kServing && !all_ready_said_ && AwakeClock::now() - began_ < slowest;
}

void FrontEnd::tell_lost_time() {
  (void)AwakeClock::now();
  const auto lost = AwakeClock::lost();
  if (lost == lost_time_told_) return;
  const auto ms = std::chrono::duration_cast<milliseconds>(lost - lost_time_told_).count();
  lost_time_told_ = lost;
  common::log_warning(
      "the front-end did not run for {} ms (it was frozen, or its machine was too busy); the deadlines of requests "
      "and workers are moved by that",
      ms);
}

// Does the periodic work that has no timer of its own, such as late clients and the log lines that wait. It also
// reads AwakeClock often enough to notice when this process did not run.
void FrontEnd::housekeep() {
  static_assert(kHousekeepingPeriod <= common::LostTime::kPeriod);
  tell_lost_time();
  server_.connections().check_deadlines();
  common::flush_log();
  gate_.tick(AwakeClock::now());
  copy_thread_.tick(AwakeClock::now());
  if (const auto now = AwakeClock::now(); now >= next_look_at_certificates_) {
    next_look_at_certificates_ = now + kCertificatePeriod;
    server_.reload_changed_tls();
  }
  if (phase_ == Phase::kServing || phase_ == Phase::kDraining) {
    models_->tick();
    if (accounts_) accounts_->tick(AwakeClock::now());
  }
  oom_kills_.forget_old(Clock::now());
  if (manager_.present()) {
    manager_.status(summary());
    manager_.tick(loading_takes_its_time());
  }
  housekeeping_timer_.expires_after(kHousekeepingPeriod);
  housekeeping_timer_.async_wait([this](error_code failure) {
    if (!failure) housekeep();
  });
}

Outcome<void> FrontEnd::make_arena() {
  if (auto fits = serving::check_shared_memory(config_.memory.input_arena_bytes, config_.models, nullptr); !fits)
    return fits;
  auto arena = ipc::InputArena::create(config_.memory.input_arena_bytes);
  if (!arena) return arena.error();
  arena_.emplace(std::move(*arena));
  body_room_.emplace(io_, *arena_);
  return {};
}

// A check of the models needs no accounts.
Outcome<void> FrontEnd::make_accounts() {
  if (mode_ == RunMode::kCheck || !config_.has_accounts()) return {};
  gate_.door().expect_accounts();
  const std::string program(process::spec_of(process::ChildKind::kAccounts).program);
  auto found = common::find_sibling_program(program);
  if (!found) return found.error();
  spawn_.programs[program] = std::move(*found);
  auto made = AccountsChild::make(io_, spawn_, children_, config_, access::known_keys_of(gate_.door()));
  if (!made) return made.error();
  accounts_ = *std::move(made);
  return {};
}

// The routes of a server without accounts answer that it has none.
api::account::Accounts FrontEnd::make_account_asker() {
  if (!accounts_) return {};
  return {[this] { return accounts_->client().available(); },
          [this](accounts::protocol::Command command, access::AccountsClient::Done done) {
            accounts_->client().ask(std::move(command), std::move(done));
          }};
}

void FrontEnd::make_models() {
  completion_poll_.emplace(io_, *arena_,
                           schedule::CompletionPoll::Lanes{[this] { return models_->have_completions(); },
                                                           [this] {
                                                             for (const auto& pool : models_->pools()) {
                                                               pool->dispatcher().take_completions();
                                                             }
                                                           }});
  context_.emplace(serving::PoolContext{io_, spawn_, children_, *arena_, metrics_, *completion_poll_});
  models_.emplace(*context_, serving::ModelPool::Events{
                                 [this](serving::ModelPool& pool, const std::string& reason) { gave_up(pool, reason); },
                                 [this] { pool_ready_changed(); }});
  models_->add(config_.models);
  models_->set_default(config_.default_model);
  reloadable_.emplace(*models_);
  if (!config_.server.models_dir.empty() && mode_ == RunMode::kServe) make_models_folder();
  reload_.emplace(
      io_, *reloadable_, [this] { return read_config_again(); },
      Reload::Hooks{[this] { return phase_ == Phase::kServing && mode_ == RunMode::kServe; },
                    [this] {
                      if (all_ready_said_) manager_.reloading();
                    },
                    [this](const common::Config& changed) { take_over(changed); }, [this] { reload_is_over(); },
                    [this](const Outcome<void>& result) { audit_reload({}, {}, result); },
                    [this](std::function<void()> then) {
                      if (!models_folder_) return then();
                      models_folder_->read_models(std::move(then));
                    }});
  routes_.emplace(RouteParts{
      {*models_, *body_room_, metrics_, config_.server, [this] { return draining(); }},
      [this] { return status(); },
      [this] { refresh_metrics(); },
      [this](std::string_view model, std::string_view request_id, Reload::Done done) {
        reload_->ask(model, [this, model = std::string(model), id = std::string(request_id),
                             done = std::move(done)](const Outcome<void>& result) {
          audit_reload(model, id, result);
          done(result);
        });
      },
      config_,
      gate_.audit(),
      [this](std::string_view model, const api::oip::Asker& asker, const Reload::Adjust& adjust, Reload::Done done) {
        reload_->ask(model, audited(access::AuditEvent::Kind::kLoadModel, model, asker, std::move(done)), adjust);
      },
      [this](std::string_view model, const api::oip::Asker& asker, Reload::Done done) {
        unload(model, audited(access::AuditEvent::Kind::kUnloadModel, model, asker, std::move(done)));
      },
      shared_regions_,
      make_account_asker(),
      std::make_shared<api::stream::Turns>(io_, *models_),
  });
  router_.emplace(make_routes(*routes_));
  stoppable_.emplace(StoppableServer::Parts{server_, *models_, *body_room_, *reload_, manager_, accounts_.get()});
  shutdown_.emplace(io_, phase_, config_.server, *stoppable_, Shutdown::Graces{});
}

void FrontEnd::make_models_folder() {
  models_folder_.emplace(
      io_, config_.server.models_dir,
      ModelsFolder::Hooks{[this] { return phase_ == Phase::kServing && all_ready_said_; },
                          [this](const std::string& model, ModelsFolder::Done done) {
                            reload_->ask(model, std::move(done), {}, Reload::Which::kNew);
                          },
                          [this](const std::string& model, ModelsFolder::Done done) {
                            unload(model, [this, model, done = std::move(done)](const Outcome<void>& result) {
                              models_->forget_unloaded(model);
                              done(result);
                            });
                          }});
}

std::optional<common::Config> FrontEnd::read_config_again() {
  auto config = read_again_();
  if (config && models_folder_) models_folder_->add_models(*config);
  return config;
}

void FrontEnd::pool_ready_changed() {
  if (phase_ != Phase::kServing || all_ready_said_) return;
  bool all_settled = true;
  for (const auto& pool : models_->pools()) all_settled &= pool->was_ready() || failed_.contains(pool.get());
  if (!all_settled) return;
  if (!failed_.empty()) {
    if (!std::exchange(check_over_, true)) asio::post(io_, [this] { finish_check(); });
    return;
  }
  all_ready_said_ = true;
  common::log_info("ready: every model can serve");
  manager_.ready();
  if (accept_when_ready_) server_.start();
  // Post it, because this call comes from inside an event of a worker.
  if (mode_ == RunMode::kCheck) asio::post(io_, [this] { finish_check(); });
}

void FrontEnd::finish_check() {
  for (const auto& pool : models_->pools()) {
    if (failed_.contains(pool.get()) || !pool->dispatcher().description()) continue;
    const auto& model = *pool->dispatcher().description();
    std::printf("model %s: %s on %s%s%s", pool->name().c_str(), model.task.c_str(), model.device.c_str(),
                model.precision.empty() ? "" : " in ", model.precision.c_str());
    if (model.input_width != 0) {
      std::printf(", input %u x %u, %zu labels", model.input_width, model.input_height, model.labels.size());
    }
    std::printf(": loads and runs\n");
  }
  shutdown_->stop(Shutdown::Workers::kAsked);
}

void FrontEnd::gave_up(const serving::ModelPool& pool, const std::string& reason) {
  if (phase_ >= Phase::kDraining) return;     // during a stop, a failed model changes nothing
  if (all_ready_said_ || pool.was_ready()) {  // after a reload in place: the other models continue to serve
    common::log_error("model {}: cannot be served until the next reload: {}", pool.name(), reason);
    return;
  }
  if (mode_ == RunMode::kCheck) {  // a check reports every model
    if (!failed_.insert(&pool).second) return;
    common::log_error("model {}: {}", pool.name(), reason);
    exit_code_ = 1;
    pool_ready_changed();
    return;
  }
  if (exit_code_ != 0) return;  // log one line, even if many workers report the same failure
  common::log_error("cannot start: model {}: {}", pool.name(), reason);
  exit_code_ = 1;
  asio::post(io_, [this] { shutdown_->stop(Shutdown::Workers::kKilled); });
}

// ---- reload ----

// Applies the settings of the server itself that a reload may change. Connections read these settings at each use.
void FrontEnd::take_over(const common::Config& read) {
  const common::Config changed = keep_fixed_settings(config_, read, [](std::string_view key) {
    common::log_warning("reload: {} cannot change while the server runs; restart it", key);
  });
  config_.server = changed.server;
  config_.deepstack = changed.deepstack;
  config_.doods = changed.doods;
  config_.oip = changed.oip;
  config_.roboflow = changed.roboflow;
  shared_regions_.remove_forbidden();
  limit_connections(count_workers(changed.models));
  server_.reload_tls();
  take_over_access(changed);
  if (changed.logging != config_.logging) {
    if (auto log = common::configure_log(changed.logging, "yolod"); !log) {
      common::log_error("reload: {}", log.error().message);
    } else {
      config_.logging = changed.logging;
    }
  }
  for (const auto& warning : changed.warnings) common::log_warning("{}", warning);
  spawn_.thread_wait = common::how_threads_wait(changed.models, common::usable_cpu_count());
}

void FrontEnd::limit_connections(std::uint64_t workers) {
  const std::size_t limit = connection_limit(config_, workers);
  if (std::exchange(connection_limit_, limit) == limit) return;
  if (limit < config_.server.max_connections) {
    common::log_warning("RLIMIT_NOFILE leaves room for {} connections, not the {} of server.max_connections", limit,
                        config_.server.max_connections);
  }
  server_.connections().set_limit(limit);
}

void FrontEnd::take_over_access(common::Config changed) {
  // The server may listen elsewhere than the file says, so the mode must also be safe with the present listeners.
  if (const auto safe = check_open_addresses(changed, server_.urls()); !safe) {
    common::log_error("reload: access.mode is not changed: {}", safe.error().message);
    changed.access.mode = gate_.mode();
  }
  gate_.take_over(changed, accounts_ != nullptr);
  config_.access = changed.access;
  config_.access.mode = gate_.mode();
}

void FrontEnd::audit_reload(std::string_view model, std::string_view request_id, const Outcome<void>& result) {
  using access::AuditEvent;
  AuditEvent event{model.empty() ? AuditEvent::Kind::kReload : AuditEvent::Kind::kLoadModel,
                   result ? AuditEvent::Result::kDone : AuditEvent::Result::kFailed};
  // Only the admin socket takes such requests.
  if (!request_id.empty()) event.actor = access::Caller::Kind::kOperator;
  event.request_id = request_id;
  event.subject = model;
  if (!result) event.detail = result.error().message;
  gate_.audit().write(event);
}

Reload::Done FrontEnd::audited(access::AuditEvent::Kind kind, std::string_view model, const api::oip::Asker& asker,
                               Reload::Done done) {
  return [this, kind, model = std::string(model), id = std::string(asker.request_id), caller = asker.caller,
          done = std::move(done)](const Outcome<void>& result) {
    using access::AuditEvent;
    AuditEvent event{kind, result ? AuditEvent::Result::kDone : AuditEvent::Result::kFailed};
    event.actor = caller;
    event.request_id = id;
    event.subject = model;
    if (!result) event.detail = result.error().message;
    gate_.audit().write(event);
    done(result);
  };
}

void FrontEnd::unload(std::string_view model, Reload::Done done) {
  const bool stops = phase_ != Phase::kServing;
  if (!stops && !reload_->running()) return models_->unload(model, std::move(done));
  const common::Error why = stops ? common::Error{common::ErrorCode::kShuttingDown, kServerIsStopping}
                                  : common::Error{common::ErrorCode::kNotReady, "a reload is under way"};
  asio::post(io_, [done = std::move(done), why] { done(why); });
}

// READY=1 also reports the end of a start. The front-end sends it only when every model is ready.
void FrontEnd::reload_is_over() {
  // Some models may not have been loaded, or only one was.
  std::uint64_t workers = 0;
  for (const auto& pool : models_->pools()) workers += pool->retired() ? 0 : pool->config().workers;
  limit_connections(workers);
  if (phase_ == Phase::kServing && all_ready_said_ && !reload_->running()) manager_.ready();
}

// ---- signals and the stop ----

void FrontEnd::on_signal(int signal) {
  switch (signal) {
    case SIGCHLD: reap(); return;
    case SIGTERM:
    case SIGINT:
      common::log_info("{}: {}", signal == SIGTERM ? "SIGTERM" : "SIGINT",
                       phase_ >= Phase::kDraining ? "stopping at once" : "draining");
      if (phase_ >= Phase::kDraining) {
        shutdown_->stop(Shutdown::Workers::kKilled);
        return;
      }
      if (mode_ == RunMode::kCheck) exit_code_ = 1;  // the check did not finish
      shutdown_->drain();
      return;
    case SIGQUIT:
      common::log_info("SIGQUIT: stopping at once");
      if (mode_ == RunMode::kCheck) exit_code_ = 1;
      shutdown_->stop(Shutdown::Workers::kKilled);
      return;
    case SIGUSR1:
      if (auto reopened = common::reopen_log(); !reopened) common::log_error("{}", reopened.error().message);
      gate_.reopen_audit_log();
      return;
    case SIGHUP: reload_->ask(); return;
    case SIGTTIN:
      for (const auto& pool : models_->pools()) pool->add_worker();
      return;
    case SIGTTOU:
      for (const auto& pool : models_->pools()) pool->remove_worker();
      return;
    default:
      if (ignored_signals_.insert(signal).second) {
        common::log_warning("signal {} ({}) means nothing to yolod and is ignored, now and later", signal,
                            strsignal(signal));
      }
      return;
  }
}

void FrontEnd::reap() {
  process::reap_children([this](pid_t pid, process::Death death) {
    death.out_of_memory = death.signaled && death.number == SIGKILL && oom_kills_.claim();
    if (!children_.reaped(pid, death)) common::log_debug("reaped process {}, which is not a child of this server", pid);
  });
}

// ---- Application ----

void FrontEnd::refuse(const common::Error& error, std::string_view path, http::Response& response) {
  write_refusal(error, path, response);
}

void FrontEnd::handshake_ended(net::Handshake how) {
  switch (how) {
    case net::Handshake::kDone: metrics_.tls_handshake("done"); break;
    case net::Handshake::kPlainHttp: metrics_.tls_handshake("plain_http"); break;
    case net::Handshake::kNoCertificate: metrics_.tls_handshake("no_certificate"); break;
    case net::Handshake::kFailed: metrics_.tls_handshake("failed"); break;
  }
}

http::Application::Shortage FrontEnd::room_shortage(Clock::time_point now) const {
  const auto [first_bytes, least_bytes] = body_room_->shortage(now);
  return {first_bytes, least_bytes};
}

http::Application::Shortage FrontEnd::unchecked_shortage(Clock::time_point now) {
  const auto [all_bytes, next_bytes] = body_room_->unchecked().shortage(now);
  return {all_bytes, next_bytes};
}

// ---- what routes ask ----

serving::ServerStatus FrontEnd::status() const {
  serving::ServerStatus status;
  status.uptime = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - began_);
  status.draining = draining();
  status.listen = server_.urls();
  status.admin_listen = server_.admin_url();
  status.models = models_->status();
  status.unloaded = models_->unloaded();
  if (accounts_) status.accounts = accounts_->status();
  return status;
}

void FrontEnd::refresh_metrics() {
  metrics_.arena(arena_->used_bytes(), arena_->capacity_bytes());
  metrics_.open_connections(server_.connections().count());
  for (const auto& [url, not_after] : server_.certificates()) metrics_.tls_not_after(url, not_after);
  gate_.for_each_result([this](std::string_view result, std::uint64_t count) { metrics_.auth(result, count); });
  gate_.for_each_limit([this](std::string_view limit, std::uint64_t count) { metrics_.limited(limit, count); });
  metrics_.loop_turns(common::loop_turns);
  for (const auto& pool : models_->pools()) pool->update_metrics();
}

}  // namespace yolod::app
