// The settings of the protocols of other programs that the server speaks besides its own, as plain values.
// common/config/schema.hpp reads them. Any thread may use a copy.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

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

struct DoodsConfig {
  bool enabled{true};
  // Names of detectors that clients use, and the models that they mean. The name default chooses the model of requests
  // that name no detector.
  std::map<std::string, std::string, std::less<>> aliases;
  friend bool operator==(const DoodsConfig&, const DoodsConfig&) = default;
};

struct RoboflowConfig {
  bool enabled{true};
  double confidence{0.4};  // for requests without one
  // The map leads from the names that clients use, "project/version" or "project", to the names of models.
  std::map<std::string, std::string, std::less<>> aliases;
  friend bool operator==(const RoboflowConfig&, const RoboflowConfig&) = default;
};

// The settings of the Open Inference Protocol.
struct OipConfig {
  bool enabled{true};
  // Requests may refer to objects of POSIX shared memory whose names match one of these patterns. In a pattern *
  // matches any characters. Without patterns, requests may refer to no object.
  std::vector<std::string> shared_memory;
  friend bool operator==(const OipConfig&, const OipConfig&) = default;
};

}  // namespace yolod::common
