// The models that requests may ask, found by name. One thread.
#pragma once

#include <memory>
#include <string_view>

#include "app/serving/served_model.hpp"

namespace yolod::app::serving {

class Models {
 public:
  // `name` empty: the default model. Null if there is none of that name. A request that holds it keeps the model's
  // memory, not its processes.
  [[nodiscard]] virtual std::shared_ptr<ServedModel> find(std::string_view name) const = 0;

 protected:
  ~Models() = default;
};

}  // namespace yolod::app::serving
