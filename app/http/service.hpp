// What the HTTP side asks of the rest of the front-end. Implemented by app/front_end; one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "app/serving/body_room.hpp"
#include "app/serving/served_model.hpp"
#include "common/outcome.hpp"

namespace yolod::app {

class Service {
 public:
  // `name` empty: the default model. Null if there is none of that name.
  [[nodiscard]] virtual std::shared_ptr<ServedModel> find_model(std::string_view name) = 0;
  [[nodiscard]] virtual BodyRoom& body_room() = 0;
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
