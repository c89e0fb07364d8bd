// Writes predictions as DeepStack and CodeProject.AI answer them. Each answer has the keys of both, because clients of
// either ignore the keys of the other. Coordinates are whole pixels of the posted picture, and times are whole
// milliseconds: clients in C# read no fractions there. Only the front-end's thread calls these functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "app/http/response.hpp"
#include "app/schedule/answer_handler.hpp"
#include "common/domain/prediction.hpp"

namespace yolod::app::api::deepstack {

// Each function replaces the whole response. `answer.prediction` is no Error and has the named kind. `total_us` is the
// time since the request's first byte.
void write_detections(http::Response& response, const common::DetectionList& list, const schedule::Answer& answer,
                      std::uint32_t total_us);
// Writes the most probable class as the scene. A picture of no class is the scene "unknown".
void write_scene(http::Response& response, const common::ClassificationList& list, const schedule::Answer& answer,
                 std::uint32_t total_us);

// Write a picture as base64 in pieces: begin_picture(), the pieces of the base64, end_picture().
void begin_picture(http::Response& response, const common::EncodedFile& file);
void end_picture(http::Response& response, const common::EncodedFile& file, const schedule::Answer& answer,
                 std::uint32_t total_us);

}  // namespace yolod::app::api::deepstack
