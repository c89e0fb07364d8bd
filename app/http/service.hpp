// What the HTTP side asks of the rest of the front-end. Implemented by app/front_end; one thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "app/http/arena_gate.hpp"
#include "app/observe/metrics.hpp"
#include "app/schedule/dispatcher.hpp"
#include "common/config/model_config.hpp"

namespace yolod::app {

// One model, as a request meets it.
struct ServedModel {
  const common::ModelConfig* config;  // of the generation that serves: it may be another after a wait
  Dispatcher& dispatcher;
  ModelMetrics& metrics;
};

class Service {
 public:
  // `name` empty: the default model. Null if there is none of that name. Valid until the service ends.
  [[nodiscard]] virtual ServedModel* find_model(std::string_view name) = 0;
  [[nodiscard]] virtual ArenaGate& arena_gate() = 0;
  // A stop has begun: answers say Connection: close.
  [[nodiscard]] virtual bool draining() const = 0;
  // The body of GET /readyz, and whether it is a 200.
  [[nodiscard]] virtual std::string readiness_json(bool& ready) const = 0;
  [[nodiscard]] virtual std::string status_json() const = 0;
  [[nodiscard]] virtual std::string metrics_text() = 0;
  // An answer that is no model's was given.
  virtual void answered_without_model(int http_status) = 0;
  // Reads the config again and reloads that model, or with an empty name all. `done` is called once, later:
  // kUnknownModel, kBadConfig, kBadModel with the reason, kNotReady while another reload runs, kShuttingDown.
  virtual void reload(std::string_view model, std::function<void(const common::Outcome<void>&)> done) = 0;

 protected:
  ~Service() = default;
};

}  // namespace yolod::app
