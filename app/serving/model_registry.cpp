#include "app/serving/model_registry.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>

#include "common/awake_clock.hpp"
#include "common/log.hpp"

namespace yolod::app::serving {

using common::AwakeClock;
using common::Error;
using common::ErrorCode;
using common::ModelConfig;
using common::Outcome;

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
  if (pool == nullptr || pool->retired() || is_unloading(pool->name())) return nullptr;
  return {pool, &pool->served()};
}

ModelPool* ModelRegistry::find_pool(std::string_view name) const { return pool_of(name).get(); }

void ModelRegistry::reload(const ModelConfig& model, ModelPool::Reloaded done) {
  if (const auto unload = unloads_.find(model.name); unload != unloads_.end()) {
    tell(unload->second, Error{ErrorCode::kNotReady, "the model is loaded again"});
    if (is_unloading(model.name)) {  // it serves still
      unloads_.erase(unload);
    } else {
      unload->second.state = UnloadedModel::State::kLoading;
      done = [this, name = model.name, done = std::move(done)](const Outcome<void>& result) {
        if (result) {
          unloads_.erase(name);
        } else if (const auto failed = unloads_.find(name); failed != unloads_.end()) {
          failed->second.state = UnloadedModel::State::kFailed;
        }
        done(result);
      };
    }
  }
  auto* pool = find_pool(model.name);
  if (pool == nullptr) {
    const std::uint64_t before = generations_of_the_gone_[model.name];
    pool = pools_.emplace_back(std::make_shared<ModelPool>(context_, model, events_, before)).get();
  }
  pool->reload(model, std::move(done));
}

void ModelRegistry::retire_all_but(const std::vector<ModelConfig>& models) {
  for (auto unload = unloads_.begin(); unload != unloads_.end();) {
    const bool stays =
        std::any_of(models.begin(), models.end(), [&unload](const auto& model) { return model.name == unload->first; });
    if (!stays) tell(unload->second, {});
    unload = stays ? std::next(unload) : unloads_.erase(unload);
  }
  for (const auto& pool : pools_) {
    const bool stays =
        std::any_of(models.begin(), models.end(), [&pool](const auto& model) { return model.name == pool->name(); });
    if (stays || pool->retired()) continue;
    common::log_info("model {}: is not in the config any more", pool->name());
    pool->retire();
  }
}

// ---- unload ----

bool ModelRegistry::is_unloading(std::string_view name) const {
  const auto unload = unloads_.find(name);
  if (unload == unloads_.end() || unload->second.state != UnloadedModel::State::kUnloading) return false;
  const auto pool = pool_of(name);
  return pool != nullptr && !pool->retired();
}

void ModelRegistry::tell(Unload& unload, const Outcome<void>& result) {
  for (auto& waiter : std::exchange(unload.waiters, {})) {
    boost::asio::post(context_.io, [waiter = std::move(waiter), result] { waiter(result); });
  }
}

void ModelRegistry::unload(std::string_view name, ModelPool::Reloaded done) {
  if (const auto before = unloads_.find(name); before != unloads_.end()) {
    before->second.waiters.push_back(std::move(done));
    if (before->second.state != UnloadedModel::State::kUnloading) tell(before->second, {});
    return;
  }
  const auto pool = pool_of(name);
  Unload unload;
  unload.waiters.push_back(std::move(done));
  if (pool == nullptr || pool->retired()) {
    tell(unload, Error{ErrorCode::kUnknownModel, "there is no model of that name"});
    return;
  }
  common::log_info("model {}: is unloaded when its last request has ended", name);
  unload.generation = pool->served().generation;
  unload.deadline = AwakeClock::now() + pool->config().request_timeout;
  unloads_.emplace(name, std::move(unload));
}

void ModelRegistry::forget_unloaded(std::string_view name) {
  const auto unload = unloads_.find(name);
  if (unload != unloads_.end() && unload->second.state != UnloadedModel::State::kUnloading) unloads_.erase(unload);
}

// A request holds its model, and so its pool, until its answer is written.
void ModelRegistry::drain_unloading() {
  const auto now = AwakeClock::now();
  for (const auto& pool : pools_) {
    if (!is_unloading(pool->name())) continue;
    const bool has_requests = pool.use_count() > 1 || pool->dispatcher().unanswered_count() != 0;
    if (!has_requests || now >= unloads_.find(pool->name())->second.deadline) pool->retire();
  }
}

std::vector<UnloadedModel> ModelRegistry::unloaded() const {
  std::vector<UnloadedModel> models;
  for (const auto& [name, unload] : unloads_) models.push_back({name, unload.generation, unload.state});
  return models;
}

void ModelRegistry::tick() {
  drain_unloading();
  for (const auto& pool : pools_) pool->tick();
  std::erase_if(pools_, [this](const auto& pool) {
    if (!pool->retired() || pool->reloading() || pool->any_alive()) return false;
    pool->update_metrics();  // the pool has no workers any more, and its metrics are not read again
    generations_of_the_gone_[pool->name()] = pool->generation_count();
    const auto unload = unloads_.find(pool->name());
    if (unload != unloads_.end() && unload->second.state == UnloadedModel::State::kUnloading) {
      unload->second.state = UnloadedModel::State::kUnloaded;
      common::log_info("model {}: unloaded", pool->name());
      tell(unload->second, {});
    }
    return true;
  });
}

bool ModelRegistry::have_completions() const {
  return std::any_of(pools_.begin(), pools_.end(),
                     [](const auto& pool) { return pool->dispatcher().has_completions(); });
}

void ModelRegistry::shut_down() {
  for (auto& [name, unload] : unloads_) tell(unload, Error{ErrorCode::kShuttingDown, "the server is stopping"});
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
    if (!pool->retired() && !is_unloading(pool->name())) models.push_back(pool->status());
  }
  return models;
}

}  // namespace yolod::app::serving
