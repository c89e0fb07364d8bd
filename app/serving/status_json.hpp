// GET /status and GET /readyz as JSON: values in, text out.
#pragma once

#include <string>

#include "app/serving/status.hpp"

namespace yolod::app {

// Reads each live worker's resident size from /proc.
[[nodiscard]] std::string status_json(const ServerStatus& status);
[[nodiscard]] std::string readiness_json(const ServerStatus& status, bool& ready);

}  // namespace yolod::app
