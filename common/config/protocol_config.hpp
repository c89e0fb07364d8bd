// The settings of the protocols of other programs that the server speaks besides its own, as plain values.
// common/config/schema.hpp reads them. Any thread may use a copy.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace yolod::common {

// Says how clients of DeepStack learn that a request failed.
enum class DeepStackErrors {
  kStatus,   // by a status of 400 or more, as DeepStack does
  kSuccess,  // by "success": false with status 200, as CodeProject.AI does
};

struct DeepStackConfig {
  bool enabled{true};
  double confidence{0.4};  // for requests without min_confidence
  // Frigate's client fails if there are more.
  std::uint32_t max_predictions{20};
  DeepStackErrors errors{DeepStackErrors::kStatus};
  // Names that clients use, and the models that they mean. The names detection, scene and enhance choose the model of
  // the route with that name.
  std::map<std::string, std::string, std::less<>> aliases;
  friend bool operator==(const DeepStackConfig&, const DeepStackConfig&) = default;
};

}  // namespace yolod::common
