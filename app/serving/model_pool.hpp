// ModelPool serves one model. It has the model's scheduler and its generations of workers.
//
//   candidate --all workers ready--> serving --the next one serves--> retiring --all reaped--> (destroyed)
//       \________a load, a warm-up or the canary failed___________________/^
//
// A reload starts a candidate generation beside the serving generation. If the candidate fails, the serving
// generation continues to serve. With `reload: in_place` there is no memory for two generations. Then the old
// generation retires first and requests wait in the queue. If the candidate fails, the pool loads the old settings
// again. A candidate starts only when no retiring generation is left, so there are never more than two.
//
// A model that the config no longer has is retired. A model that a reload adds is also retired until its candidate
// serves.
//
// The class has many functions, because each question and each signal goes on to every generation, and each step of
// a reload and each event of a worker is a function. All of them depend on which generation serves, so they stay in
// one class.
//
// ModelRegistry owns it. It never moves, because its parts refer to each other. Only the thread of the front-end may
// call it.
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

// The parts that all pools share. They outlive the pools.
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
    // The model cannot be served, and no older generation serves it: its first generation failed, or the old
    // settings failed after a candidate failed in place.
    std::function<void(ModelPool&, const std::string& reason)> gave_up;
    std::function<void()> ready_changed;
  };
  // Receives the result of a reload.
  using Reloaded = std::function<void(const common::Outcome<void>&)>;

  // A new pool is retired until start(), or until its first reload succeeds. `generations_before` counts the
  // generations of an earlier pool of the same name that was destroyed.
  ModelPool(PoolContext& context, common::ModelConfig config, Events events, std::uint64_t generations_before = 0);
  ModelPool(const ModelPool&) = delete;
  ModelPool& operator=(const ModelPool&) = delete;
  ~ModelPool();

  void start(process::Start start);
  // Starts a reload. `done` is called once, later, with kBadModel or kUnknownModel on failure. REQUIRES: not
  // reloading().
  void reload(common::ModelConfig config, Reloaded done);
  [[nodiscard]] bool reloading() const { return reloaded_ != nullptr; }
  // Stops serving the model: the pool answers the requests that it has, and its workers exit.
  void retire();
  [[nodiscard]] bool retired() const { return retired_; }

  // Recycles workers and destroys retired generations. Call it at regular intervals.
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
  // Returns whether a worker of a serving generation has ever been ready, or whether the model is retired.
  [[nodiscard]] bool was_ready() const { return retired_ || was_ready_; }
  [[nodiscard]] schedule::Dispatcher& dispatcher() { return dispatcher_; }
  [[nodiscard]] const schedule::Dispatcher& dispatcher() const { return dispatcher_; }
  [[nodiscard]] ServedModel& served() { return served_; }
  [[nodiscard]] ModelStatus status() const;
  // Returns Supervisor::memory_bytes() of the serving generation, or 0 if there is none.
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
  void start_candidate();
  void ready_changed();
  void swap_in();
  void fail_candidate(const std::string& reason);
  void end_reload(const common::Outcome<void>& result);
  void let_go(std::unique_ptr<Generation> generation);
  void bury();
  void post(void (ModelPool::*what)());
  void each_generation(const std::function<void(Generation&)>& each);

  PoolContext& context_;
  const std::string name_;
  // The settings of the serving generation, or of the next generation if none serves.
  std::shared_ptr<const common::ModelConfig> config_;
  Events events_;
  observe::ModelMetrics metrics_;
  std::unordered_map<process::WorkerProcess*, WorkerLink> links_;  // a link for each worker that the dispatcher has
  schedule::Dispatcher dispatcher_;
  ServedModel served_;
  std::uint64_t generation_count_;
  std::unique_ptr<Generation> serving_;
  std::unique_ptr<Generation> candidate_;
  // its candidate starts when no retiring generation is left
  std::shared_ptr<const common::ModelConfig> next_config_;
  std::vector<std::unique_ptr<Generation>> retiring_;
  Reloaded reloaded_;
  bool retired_{true};
  bool was_ready_{false};
  bool stopping_{false};
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::serving
