// Writes errors as DeepStack does, {"success":false,"error":"...","code":400,"duration":0}, or as CodeProject.AI does,
// which answers some of them with status 200. The forms come from server/response/ in github.com/johnolafenwa/DeepStack
// and from src/server/Controllers/ in github.com/codeproject/CodeProject.AI-Server. Any thread may call it.
#pragma once

#include <cstdint>
#include <string_view>

#include "app/http/response.hpp"
#include "common/config/protocol_config.hpp"
#include "common/error.hpp"

namespace yolod::app::api::deepstack {

// Replaces the whole response. A 503 and a 429 have a Retry-After header.
void write_error(http::Response& response, const common::Error& error, common::DeepStackErrors style,
                 std::uint32_t retry_after_seconds = 1);

// Returns whether the path belongs to this protocol.
[[nodiscard]] bool owns_path(std::string_view path);

}  // namespace yolod::app::api::deepstack
