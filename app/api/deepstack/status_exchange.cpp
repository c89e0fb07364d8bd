#include "app/api/deepstack/status_exchange.hpp"

#include <set>
#include <string>

#include "app/api/deepstack/status_json.hpp"

namespace yolod::app::api::deepstack {

http::Exchange::Next ListExchange::begin(const http::RequestView& /*request*/, http::Response& response) {
  std::set<std::string> names;
  const auto is_detector = [this](const std::string& name) {
    const auto model = models_.find(name);
    return model != nullptr && model->config->task == common::Task::kDetect;
  };
  for (const auto& model : read_().models) {
    if (is_detector(model.name)) names.insert(model.name);
  }
  for (const auto& [alias, model] : errors().config.aliases) {
    if (is_detector(model)) names.insert(alias);
  }
  write_models(names, response);
  return Next::kRespond;
}

}  // namespace yolod::app::api::deepstack
