// Writes the answers of DeepStack's and CodeProject.AI's routes that concern the server and its models. Each function
// replaces the whole response. Only the front-end's thread calls them.
#pragma once

#include <set>
#include <string>

#include "app/http/response.hpp"

namespace yolod::app::api::deepstack {

// Answers whether the server runs, and its version.
void write_ping(http::Response& response);
// Answers that no update is available, because the server does not look for updates.
void write_update(http::Response& response);
// Lists the models of the custom routes.
void write_models(const std::set<std::string>& names, http::Response& response);

}  // namespace yolod::app::api::deepstack
