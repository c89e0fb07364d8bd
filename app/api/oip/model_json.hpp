// Writes the answers of the Open Inference Protocol about one model. Each function replaces the whole response. Only
// the front-end's thread calls them.
#pragma once

#include "app/api/oip/model_view.hpp"
#include "app/http/response.hpp"
#include "app/serving/served_model.hpp"

namespace yolod::app::api::oip {

void write_metadata(const serving::ServedModel& model, ViewKind view, http::Response& response);  // GET /v2/models/M
void write_config(const serving::ServedModel& model, ViewKind view,
                  http::Response& response);  // GET /v2/models/M/config
void write_model_ready(const serving::ServedModel& model, ViewKind view,
                       http::Response& response);  // GET /v2/models/M/ready
void write_statistics(const serving::ServedModel& model, ViewKind view,
                      http::Response& response);  // GET /v2/models/M/stats

// Returns the error of the statistics of an unknown model, which has a text and a status unlike the other errors.
[[nodiscard]] common::Error no_statistics(std::string_view name, std::string_view version);

}  // namespace yolod::app::api::oip
