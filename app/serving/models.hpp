// Models finds served models by name. Only the thread of the front-end may call it.
#pragma once

#include <memory>
#include <string_view>

#include "app/serving/served_model.hpp"

namespace yolod::app::serving {

class Models {
 public:
  // With an empty `name`, returns the default model. Returns null if no served model has that name. A request that
  // holds the result keeps the memory of the model's pool, but not its processes.
  [[nodiscard]] virtual std::shared_ptr<ServedModel> find(std::string_view name) const = 0;
  // Returns whether the config has a model of that name that was unloaded, or is being unloaded.
  [[nodiscard]] virtual bool is_unloaded(std::string_view /*name*/) const { return false; }

 protected:
  ~Models() = default;
};

}  // namespace yolod::app::serving
