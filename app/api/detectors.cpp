#include "app/api/detectors.hpp"

#include <utility>

namespace yolod::app::api {

Detectors detectors_of(const serving::ServerStatus& status, const serving::Models& models, const Aliases& aliases) {
  Detectors detectors;
  const auto add = [&](const std::string& name, const std::string& model_name) {
    auto model = models.find(model_name);
    if (model != nullptr && model->config->task == common::Task::kDetect) detectors.emplace(name, std::move(model));
  };
  for (const auto& model : status.models) add(model.name, model.name);
  for (const auto& [alias, model] : aliases) add(alias, model);
  return detectors;
}

}  // namespace yolod::app::api
