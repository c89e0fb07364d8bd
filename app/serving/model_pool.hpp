// One model that is served: its scheduler, and its generations of workers.
//
//   on trial --all workers ready--> serving --the next one serves--> retiring --all reaped--> (gone)
//       \________a load, a warm-up or the canary failed___________________/^
//
// A reload starts a generation on trial beside the one that serves; whatever happens to it, clients are served. Where
// there is no room for two (`reload: in_place`) the old one retires first, requests wait in the queue, and should the
// new one fail, the old settings are loaded again. There are never more than two: a trial begins when no other
// generation is left of what was before.
//
// A model that is not in the config any more is retired; so is one that a reload adds, until its trial is over.
//
// It has many functions because a question or a signal goes on to every generation, and because each step of a reload
// and each event of a worker is one. They share which generation serves, and so they are not split.
//
// Front-end only, its one thread. Does not move: its parts refer to each other.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/observe/metrics.hpp"
#include "app/process/supervisor.hpp"
#include "app/schedule/dispatcher.hpp"
#include "app/serving/served_model.hpp"
#include "app/serving/status.hpp"
#include "app/serving/worker_link.hpp"
#include "common/config/model_config.hpp"
#include "common/lifeline.hpp"

namespace yolod::app::serving {

// What every pool shares; outlives them all.
struct PoolContext {
  boost::asio::io_context& io;
  const process::SpawnSettings& spawn;
  process::ChildTable& children;
  const ipc::InputArena& arena;
  observe::Metrics& metrics;
  schedule::CompletionPoll& completion_poll;
};

class ModelPool final : private process::WorkerEventSink {
 public:
  struct Events {
    // What it should serve cannot be served: of the first generation, or of the settings before one that failed in
    // place.
    std::function<void(ModelPool&, const std::string& reason)> gave_up;
    std::function<void()> ready_changed;
  };
  // What came of a reload.
  using Reloaded = std::function<void(const common::Outcome<void>&)>;

  // Retired until it is started, or a reload has ended well. `generations_before`: of a model of that name that was
  // freed.
  ModelPool(PoolContext& context, common::ModelConfig config, Events events, std::uint64_t generations_before = 0);
  ModelPool(const ModelPool&) = delete;
  ModelPool& operator=(const ModelPool&) = delete;
  ~ModelPool();

  void start(process::Start start);
  // One at a time: not while reloading().
  void reload(common::ModelConfig config, Reloaded done);
  [[nodiscard]] bool reloading() const { return reloaded_ != nullptr; }
  // The model is not served any more: what it has is finished, its workers go.
  void retire();
  [[nodiscard]] bool retired() const { return retired_; }

  // Recycles workers, buries generations. To be called every so often.
  void tick();
  void add_worker();
  void remove_worker();

  // ---- the server's stop ----
  void stop_respawning();
  void ask_all_to_stop();
  void signal_all(int signal);
  void forget_unseen();
  [[nodiscard]] bool any_alive() const;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t generation_count() const { return generation_count_; }
  [[nodiscard]] const common::ModelConfig& config() const { return *config_; }
  // A worker that serves has been ready, once; or the model is retired.
  [[nodiscard]] bool was_ready() const { return retired_ || was_ready_; }
  [[nodiscard]] schedule::Dispatcher& dispatcher() { return dispatcher_; }
  [[nodiscard]] const schedule::Dispatcher& dispatcher() const { return dispatcher_; }
  [[nodiscard]] ServedModel& served() { return served_; }
  [[nodiscard]] ModelStatus status() const;
  // Supervisor::memory_bytes() of what serves; 0 where nothing does.
  [[nodiscard]] std::uint64_t memory_bytes() const;
  void update_metrics();

 private:
  struct Generation;

  void worker_ready(process::WorkerProcess& worker, process::Supervisor& supervisor) override;
  void worker_completions(process::WorkerProcess& worker) override;
  bool worker_died(process::WorkerProcess& worker, process::DeathCause cause) override;
  void give_work_to(process::WorkerProcess& worker, process::Supervisor& supervisor);

  [[nodiscard]] std::unique_ptr<Generation> make_generation(std::shared_ptr<const common::ModelConfig> config,
                                                            process::Start start);
  [[nodiscard]] std::optional<common::Clock::time_point> next_worker() const;
  void serve_own(process::Start start);
  void begin_trial();
  void ready_changed();
  void swap_in();
  void fail_trial(const std::string& reason);
  void end_reload(const common::Outcome<void>& result);
  void let_go(std::unique_ptr<Generation> generation);
  void bury();
  void post(void (ModelPool::*what)());
  void each_generation(const std::function<void(Generation&)>& each);

  PoolContext& context_;
  const std::string name_;
  std::shared_ptr<const common::ModelConfig> config_;  // of what serves, or is to
  Events events_;
  observe::ModelMetrics metrics_;
  std::unordered_map<process::WorkerProcess*, WorkerLink> links_;  // of workers that the dispatcher has
  schedule::Dispatcher dispatcher_;
  ServedModel served_;
  std::uint64_t generation_count_;
  std::unique_ptr<Generation> serving_;
  std::unique_ptr<Generation> candidate_;
  std::shared_ptr<const common::ModelConfig> next_config_;  // to be tried once what retires is gone
  std::vector<std::unique_ptr<Generation>> retiring_;
  Reloaded reloaded_;
  bool retired_{true};
  bool was_ready_{false};
  bool stopping_{false};
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::serving
