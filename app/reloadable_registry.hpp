// Gives a reload access to the models of the server.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/reload.hpp"
#include "app/serving/memory_check.hpp"
#include "app/serving/model_registry.hpp"

namespace yolod::app {

// The registry outlives it. Only the thread of the front-end may call it.
class ReloadableRegistry final : public Reload::Models {
 public:
  explicit ReloadableRegistry(serving::ModelRegistry& registry) : registry_(registry) {}

  [[nodiscard]] bool serve(std::string_view name) const override {
    return registry_.find(name) != nullptr || registry_.is_unloaded(name);
  }
  [[nodiscard]] common::Outcome<void> have_room_for(const std::vector<common::ModelConfig>& models) const override {
    if (auto fits = serving::check_shared_memory(0, models, &registry_); !fits) return fits;
    return serving::check_room_beside(models, registry_);
  }
  void load(const common::ModelConfig& model, Loaded done) override { registry_.reload(model, std::move(done)); }
  void serve_only(const std::vector<common::ModelConfig>& models, std::string default_model) override {
    registry_.set_default(std::move(default_model));
    registry_.retire_all_but(models);
  }

 private:
  serving::ModelRegistry& registry_;
};

}  // namespace yolod::app
