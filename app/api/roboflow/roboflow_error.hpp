// Writes errors as Roboflow's inference server does: {"message":"..."} with a status of 400 or more. The form comes
// from inference/core/interfaces/http/ and inference_sdk/http/client.py in github.com/roboflow/inference. Any thread
// may call it.
#pragma once

#include <cstdint>
#include <string_view>

#include "app/http/response.hpp"
#include "common/error.hpp"

namespace yolod::app::api::roboflow {

// Replaces the whole response. A 503 and a 429 have a Retry-After header.
void write_error(http::Response& response, const common::Error& error, std::uint32_t retry_after_seconds = 1);

// Returns whether the path belongs to this protocol. It then begins with /infer/ or /model/, or it has two segments and
// the second segment is a number.
[[nodiscard]] bool owns_path(std::string_view path);

struct RoboflowErrors {
  void operator()(const common::Error& error, http::Response& response) const { write_error(response, error); }
};

}  // namespace yolod::app::api::roboflow
