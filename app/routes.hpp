// The table of paths. For each path it says the methods, which clients may use it, and which exchange answers it.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "app/access/audit_log.hpp"
#include "app/api/account/account_exchange.hpp"
#include "app/api/admin/reload_exchange.hpp"
#include "app/api/admin/status_exchange.hpp"
#include "app/api/call_exchange.hpp"
#include "app/api/oip/repository_exchange.hpp"
#include "app/api/oip/shared_regions.hpp"
#include "app/api/stream/turns.hpp"
#include "app/http/router.hpp"
#include "common/config/config.hpp"

namespace yolod::app {

// The functions and objects of the front-end that the exchanges need.
struct RouteParts {
  api::CallContext calls;
  api::admin::ReadStatus read_status;
  api::admin::RefreshMetrics refresh_metrics;
  api::admin::AskForReload ask_for_reload;
  const common::Config& config;  // of the protocols only `enabled` is fixed when the table is made
  access::AuditLog& audit;
  api::oip::AskForLoad ask_for_load;
  api::oip::AskForUnload ask_for_unload;
  api::oip::SharedRegions& shared_regions;
  api::account::Accounts accounts{};
  std::shared_ptr<api::stream::Turns> stream_turns{};
};

// `parts` outlives the routes. Only the thread of the front-end may call it.
[[nodiscard]] std::vector<http::Route> make_routes(const RouteParts& parts);

// Writes the answer to a request that no route serves, in the format of the protocol to which `path` belongs.
void write_refusal(const common::Error& error, std::string_view path, http::Response& response);

}  // namespace yolod::app
