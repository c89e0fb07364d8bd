#include <variant>

#include "model/identity_model.hpp"
#include "model/model.hpp"
#include "model/read_file.hpp"
#if defined(YOLOD_WITH_TORCH)
#include "model/torch_model.hpp"
#endif

namespace yolod::model {

common::Outcome<std::unique_ptr<Model>> load_model(const common::ModelConfig& config,
                                                   const Surroundings& surroundings) {
  if (const auto* identity = std::get_if<common::IdentitySource>(&config.source)) {
    return load_identity_model(*identity, surroundings);
  }
#if defined(YOLOD_WITH_TORCH)
  return load_torch_model(config, surroundings);
#else
  return bad_model(config.name + ": this build has no LibTorch, only identity models can be served");
#endif
}

}  // namespace yolod::model
