// Writes the answers of the Open Inference Protocol about the server and all its models. Each function replaces the
// whole response. Only the front-end's thread calls them.
#pragma once

#include "app/http/response.hpp"
#include "app/observe/metrics.hpp"
#include "app/serving/status.hpp"

namespace yolod::app::api::oip {

// GET /v2, without and with the extension system_shared_memory.
void write_server(http::Response& response);
void write_server_with_shared_memory(http::Response& response);
void write_live(http::Response& response);  // GET /v2/health/live

// GET /v2/health/ready: 200 if every model is ready and the server does not stop, otherwise 503.
void write_ready(const serving::ServerStatus& status, const observe::Metrics& metrics, http::Response& response);
// GET /v2/models
void write_models(const serving::ServerStatus& status, const observe::Metrics& metrics, http::Response& response);
// GET /v2/models/stats
void write_all_statistics(const serving::ServerStatus& status, const observe::Metrics& metrics,
                          http::Response& response);
// POST /v2/repository/index. With `only_ready` the answer has only the models that are ready.
void write_index(const serving::ServerStatus& status, bool only_ready, http::Response& response);

}  // namespace yolod::app::api::oip
