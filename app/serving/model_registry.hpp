// ModelRegistry has the pools of all models, and the name of the default model.
//
// A model that the config no longer has is retired: no request finds it, its pending requests are answered, and its
// processes exit. Its pool is destroyed when its last process has been reaped and the last request has released it.
// A request holds its model until its answer is written, and every request gets an answer.
//
// A model that an admin unloads is found by no new request. It is retired when no request holds it any more, at the
// latest after its request_timeout. It stays unloaded until a load or a reload of all models.
//
//   served -- unload --> unloading -- no request left --> retired -- processes reaped --> unloaded -- load --> served
//
// To ask about a single model, call its pool, from pools(). This class has only the functions that need all models.
//
// The front-end owns it. Only the thread of the front-end may call it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/serving/model_pool.hpp"
#include "app/serving/models.hpp"
#include "app/serving/served_model.hpp"
#include "app/serving/status.hpp"
#include "common/clock.hpp"
#include "common/config/model_config.hpp"
#include "common/outcome.hpp"

namespace yolod::app::serving {

class ModelRegistry final : public Models {
 public:
  // `context` outlives this object.
  ModelRegistry(PoolContext& context, ModelPool::Events events);
  ModelRegistry(const ModelRegistry&) = delete;
  ModelRegistry& operator=(const ModelRegistry&) = delete;
  ~ModelRegistry();

  // Adds pools for these models. They are retired until start().
  void add(const std::vector<common::ModelConfig>& models);
  void start(process::Start start);
  void set_default(std::string name) { default_model_ = std::move(name); }

  [[nodiscard]] std::shared_ptr<ServedModel> find(std::string_view name) const override;
  [[nodiscard]] bool is_unloaded(std::string_view name) const override { return unloads_.contains(name); }
  // Returns the pool even if it is retired and not destroyed yet. Returns null if there is no such pool.
  [[nodiscard]] ModelPool* find_pool(std::string_view name) const;

  // Loads the model beside its serving generation, or for the first time. REQUIRES: its pool is not reloading().
  void reload(const common::ModelConfig& model, ModelPool::Reloaded done);
  void retire_all_but(const std::vector<common::ModelConfig>& models);
  // Unloads the model. `done` is called once, later: when the model's processes are gone, or with an Error, which is
  // kUnknownModel, kNotReady if the model was loaded again meanwhile, or kShuttingDown.
  void unload(std::string_view name, ModelPool::Reloaded done);
  // Forgets that a model was unloaded, because there is no such model any more.
  void forget_unloaded(std::string_view name);

  // Recycles workers and destroys retired pools without processes. Call it at regular intervals.
  void tick();
  [[nodiscard]] bool have_completions() const;

  // ---- the server's stop ----
  // From now on the server replaces no worker and accepts no request. Pending requests get kShuttingDown.
  void shut_down();
  [[nodiscard]] bool any_alive() const;
  [[nodiscard]] bool any_was_ready() const;

  [[nodiscard]] std::vector<ModelStatus> status() const;  // excludes retired and unloading models
  [[nodiscard]] std::vector<UnloadedModel> unloaded() const;

  // Returns all pools, including retired ones that are not destroyed yet. tick() and reload() change this list.
  [[nodiscard]] const std::vector<std::shared_ptr<ModelPool>>& pools() const { return pools_; }

 private:
  // Has the callers that wait for the end of an unload.
  struct Unload {
    UnloadedModel::State state{UnloadedModel::State::kUnloading};
    std::uint64_t generation{0};
    common::Clock::time_point deadline;  // of its requests
    std::vector<ModelPool::Reloaded> waiters{};
  };

  [[nodiscard]] std::shared_ptr<ModelPool> pool_of(std::string_view name) const;
  [[nodiscard]] bool is_unloading(std::string_view name) const;
  // Retires the models whose last request has ended.
  void drain_unloading();
  // Tells the waiters in a later turn of the event loop.
  void tell(Unload& unload, const common::Outcome<void>& result);

  PoolContext& context_;
  const ModelPool::Events events_;
  std::string default_model_;
  std::vector<std::shared_ptr<ModelPool>> pools_;
  // The generation counts of destroyed pools. A model that comes back continues to count from there.
  std::map<std::string, std::uint64_t, std::less<>> generations_of_the_gone_;
  std::map<std::string, Unload, std::less<>> unloads_;
};

}  // namespace yolod::app::serving
