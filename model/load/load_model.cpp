#include "model/load/load_model.hpp"

#include <variant>

#include "model/identity_model.hpp"
#include "model/model.hpp"
#if defined(YOLOD_WITH_TORCH)
#include "model/load/load_torch_model.hpp"
#else
#include "model/bad_model.hpp"
#include "model/load_context.hpp"
#include "model/sources/darknet_files.hpp"
#endif

namespace yolod::model {

common::Outcome<std::unique_ptr<Model>> load_model(const common::ModelConfig& config, const LoadContext& context) {
  if (const auto* identity = std::get_if<common::IdentitySource>(&config.source)) {
    return load_identity_model(*identity, context);
  }
#if defined(YOLOD_WITH_TORCH)
  return load_torch_model(config, context);
#else
  // Checks the model's files first, because a fault in them can be reported without LibTorch.
  if (const auto* darknet = std::get_if<common::DarknetSource>(&config.source)) {
    const auto network = read_network(*darknet, config.input_size);
    if (!network) return network.error();
    if (const auto weights = read_weights(*darknet, *network); !weights) return weights.error();
  }
  return bad_model(config.name + ": this build has no LibTorch and serves identity models only");
#endif
}

}  // namespace yolod::model
