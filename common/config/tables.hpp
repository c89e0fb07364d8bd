// The schema of system.yaml. This is the one place that lists the keys of each struct in common/config/config.hpp,
// with their bounds, spellings and meaning.
#pragma once

#include "common/config/access_config.hpp"
#include "common/config/fields.hpp"
#include "common/config/model_config.hpp"
#include "common/config/postgres_config.hpp"
#include "common/config/protocol_config.hpp"
#include "common/config/server_config.hpp"
#include "common/domain/sandbox_state.hpp"
#include "common/log_settings.hpp"

namespace yolod::common {

[[nodiscard]] Fields fields_of(ServerConfig& server);
[[nodiscard]] Fields fields_of(ListenAddress& listener);
[[nodiscard]] Fields fields_of(CorsConfig& cors);
[[nodiscard]] Fields fields_of(TlsConfig& tls);
[[nodiscard]] Fields fields_of(AccessConfig& access);
[[nodiscard]] Fields fields_of(KeyLimits& limits);
[[nodiscard]] Fields fields_of(AddressLimits& limits);
[[nodiscard]] Fields fields_of(DeepStackConfig& deepstack);
[[nodiscard]] Fields fields_of(DoodsConfig& doods);
[[nodiscard]] Fields fields_of(OipConfig& oip);
[[nodiscard]] Fields fields_of(RoboflowConfig& roboflow);
[[nodiscard]] Fields fields_of(MemoryConfig& memory);
[[nodiscard]] Fields fields_of(LoggingConfig& logging);
[[nodiscard]] Fields fields_of(PostgresConfig& postgres);
[[nodiscard]] Fields fields_of(ModelConfig& model);
[[nodiscard]] Fields fields_of(DarknetSource& source);
[[nodiscard]] Fields fields_of(TorchScriptSource& source);
[[nodiscard]] Fields fields_of(IdentitySource& source);
[[nodiscard]] Fields fields_of(BatchConfig& batch);
[[nodiscard]] Fields fields_of(QueueConfig& queue);
[[nodiscard]] Fields fields_of(RecycleConfig& recycle);
[[nodiscard]] Fields fields_of(CanaryConfig& canary);
[[nodiscard]] Fields fields_of(PreprocessConfig& preprocess);
[[nodiscard]] Fields fields_of(DetectConfig& detect);
[[nodiscard]] Fields fields_of(ClassifyConfig& classify);
[[nodiscard]] Fields fields_of(ImageConfig& image);
[[nodiscard]] Fields fields_of(LimitsConfig& limits);

// The config has the key `sandbox`. In a model the key exists only in the settings that the front-end passes to a
// worker.
[[nodiscard]] Field sandbox_field(SandboxMode& mode);

// Reads one model's map and checks rules between its keys. `more` are additional keys beside the model's own.
void read_model(ConfigReader& reader, const YamlNode& node, ModelConfig& model, const Fields& more = {});

}  // namespace yolod::common
