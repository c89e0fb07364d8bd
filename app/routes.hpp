// The one table of paths: which there are, on which listeners, and what answers them.
#pragma once

#include <vector>

#include "app/api/admin/reload_exchange.hpp"
#include "app/api/admin/status_exchange.hpp"
#include "app/api/call_exchange.hpp"
#include "app/http/router.hpp"

namespace yolod::app {

// What the routes' exchanges need of the front-end.
struct RouteParts {
  CallContext calls;
  ReadStatus read_status;
  RefreshMetrics refresh_metrics;
  AskForReload ask_for_reload;
};

// `parts` outlive the routes.
[[nodiscard]] std::vector<Route> make_routes(const RouteParts& parts);

}  // namespace yolod::app
