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
  api::CallContext calls;
  api::admin::ReadStatus read_status;
  api::admin::RefreshMetrics refresh_metrics;
  api::admin::AskForReload ask_for_reload;
};

// `parts` outlive the routes.
[[nodiscard]] std::vector<http::Route> make_routes(const RouteParts& parts);

}  // namespace yolod::app
