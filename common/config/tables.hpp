// The schema of system.yaml: for each struct of common/config/config.hpp, its keys, bounds and spellings. The one place
// that lists them.
#pragma once

#include "common/config/fields.hpp"
#include "common/config/model_config.hpp"
#include "common/config/server_config.hpp"
#include "common/log_settings.hpp"

namespace yolod::common {

[[nodiscard]] Fields fields_of(ServerConfig& server);
[[nodiscard]] Fields fields_of(TlsConfig& tls);
[[nodiscard]] Fields fields_of(MemoryConfig& memory);
[[nodiscard]] Fields fields_of(LoggingConfig& logging);
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

// The number of workers and the input size, which the short form has under other names.
[[nodiscard]] Field workers_field(std::string_view name, std::uint32_t& workers);
[[nodiscard]] Field input_size_field(std::string_view name, std::optional<InputSize>& size);

// Reads one model's map and checks what concerns more than one of its keys. `more` are keys beside the model's own.
void read_model(ConfigReader& reader, const YamlNode& node, ModelConfig& model, const Fields& more = {});

}  // namespace yolod::common
