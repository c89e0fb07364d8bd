// The models of the server, each a pool: which there are, which is the default, and what concerns all of them.
//
// A model that is not in the config any more is retired: no request finds it, what it has is finished, its processes
// go. It is freed when the last of them is reaped and the last request lets go of it: a request holds its model until
// its answer is written, and every request gets an answer.
//
// What concerns each model by itself is asked of its pool: pools() has all of them. Functions here are those for which
// the models must be known together.
//
// Front-end only, its one thread.
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
#include "common/config/model_config.hpp"

namespace yolod::app::serving {

class ModelRegistry final : public Models {
 public:
  // `context` outlives this object.
  ModelRegistry(PoolContext& context, ModelPool::Events events);
  ModelRegistry(const ModelRegistry&) = delete;
  ModelRegistry& operator=(const ModelRegistry&) = delete;
  ~ModelRegistry();

  // Adds these, retired until start().
  void add(const std::vector<common::ModelConfig>& models);
  void start(process::Start start);
  void set_default(std::string name) { default_model_ = std::move(name); }

  [[nodiscard]] std::shared_ptr<ServedModel> find(std::string_view name) const override;
  // Also one that is retired and not freed yet; null if there is none.
  [[nodiscard]] ModelPool* find_pool(std::string_view name) const;

  // Loads that model beside what serves of it, or for the first time. Not while its pool is reloading().
  void reload(const common::ModelConfig& model, ModelPool::Reloaded done);
  void retire_all_but(const std::vector<common::ModelConfig>& models);

  // Recycles workers, frees what is gone. To be called every so often.
  void tick();
  [[nodiscard]] bool have_completions() const;

  // ---- the server's stop ----
  // No worker is replaced, and no request is taken any more; those without an answer get kShuttingDown.
  void shut_down();
  [[nodiscard]] bool any_alive() const;
  [[nodiscard]] bool any_was_ready() const;

  [[nodiscard]] std::vector<ModelStatus> status() const;  // of those that are not retired

  // All of them, also those that are retired and not freed yet. tick() and reload() change them.
  [[nodiscard]] const std::vector<std::shared_ptr<ModelPool>>& pools() const { return pools_; }

 private:
  [[nodiscard]] std::shared_ptr<ModelPool> pool_of(std::string_view name) const;

  PoolContext& context_;
  const ModelPool::Events events_;
  std::string default_model_;
  std::vector<std::shared_ptr<ModelPool>> pools_;
  // How many generations a model had that was freed: if it comes back, it goes on counting.
  std::map<std::string, std::uint64_t, std::less<>> generations_of_the_gone_;
};

}  // namespace yolod::app::serving
