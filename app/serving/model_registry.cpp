#include "app/serving/model_registry.hpp"

#include <algorithm>
#include <utility>

#include "common/log.hpp"

namespace yolod::app::serving {

using common::ModelConfig;

ModelRegistry::ModelRegistry(PoolContext& context, ModelPool::Events events)
    : context_(context), events_(std::move(events)) {}

ModelRegistry::~ModelRegistry() = default;

void ModelRegistry::add(const std::vector<ModelConfig>& models) {
  for (const auto& model : models) pools_.push_back(std::make_shared<ModelPool>(context_, model, events_));
}

void ModelRegistry::start(process::Start start) {
  for (const auto& pool : pools_) pool->start(start);
}

std::shared_ptr<ModelPool> ModelRegistry::pool_of(std::string_view name) const {
  const auto found =
      std::find_if(pools_.begin(), pools_.end(), [name](const auto& pool) { return pool->name() == name; });
  return found == pools_.end() ? nullptr : *found;
}

std::shared_ptr<ServedModel> ModelRegistry::find(std::string_view name) const {
  const auto pool = pool_of(name.empty() ? std::string_view(default_model_) : name);
  if (pool == nullptr || pool->retired()) return nullptr;
  return {pool, &pool->served()};
}

ModelPool* ModelRegistry::find_pool(std::string_view name) const { return pool_of(name).get(); }

void ModelRegistry::reload(const ModelConfig& model, ModelPool::Reloaded done) {
  auto* pool = find_pool(model.name);
  if (pool == nullptr) {
    const std::uint64_t before = generations_of_the_gone_[model.name];
    pool = pools_.emplace_back(std::make_shared<ModelPool>(context_, model, events_, before)).get();
  }
  pool->reload(model, std::move(done));
}

void ModelRegistry::retire_all_but(const std::vector<ModelConfig>& models) {
  for (const auto& pool : pools_) {
    const bool stays =
        std::any_of(models.begin(), models.end(), [&pool](const auto& model) { return model.name == pool->name(); });
    if (stays || pool->retired()) continue;
    common::log_info("model {}: is not in the config any more", pool->name());
    pool->retire();
  }
}

void ModelRegistry::tick() {
  for (const auto& pool : pools_) pool->tick();
  std::erase_if(pools_, [this](const auto& pool) {
    if (!pool->retired() || pool->reloading() || pool->any_alive()) return false;
    pool->update_metrics();  // the pool has no workers any more, and its metrics are not read again
    generations_of_the_gone_[pool->name()] = pool->generation_count();
    return true;
  });
}

bool ModelRegistry::have_completions() const {
  return std::any_of(pools_.begin(), pools_.end(),
                     [](const auto& pool) { return pool->dispatcher().has_completions(); });
}

void ModelRegistry::shut_down() {
  for (const auto& pool : pools_) {
    pool->stop_respawning();
    pool->dispatcher().shut_down();
  }
}

bool ModelRegistry::any_alive() const {
  return std::any_of(pools_.begin(), pools_.end(), [](const auto& pool) { return pool->any_alive(); });
}

bool ModelRegistry::any_was_ready() const {
  return std::any_of(pools_.begin(), pools_.end(), [](const auto& pool) { return pool->was_ready(); });
}

std::vector<ModelStatus> ModelRegistry::status() const {
  std::vector<ModelStatus> models;
  for (const auto& pool : pools_) {
    if (!pool->retired()) models.push_back(pool->status());
  }
  return models;
}

}  // namespace yolod::app::serving
