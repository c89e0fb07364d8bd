// Writes a prediction as the answer of POST /predict and PUT /image: as JSON, or as the file that the model
// produced. Only the front-end's thread calls these functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "app/http/response.hpp"
#include "app/schedule/answer_handler.hpp"
#include "common/domain/prediction.hpp"

namespace yolod::app::api::predict {

// Writes the whole answer with a Server-Timing header and replaces the whole response. A file is moved out of
// `answer`. `total_us` is the time since the request's first byte. REQUIRES, also for the next functions:
// answer.prediction is no Error.
void write_prediction(http::Response& response, std::string_view model, schedule::Answer& answer,
                      std::uint32_t total_us);

// These functions write a long list in pieces: begin_prediction(), then append_items() until item_count() items are
// written, then end_prediction(). The prediction must not be a file.
[[nodiscard]] std::size_t item_count(const common::Prediction& prediction);
void begin_prediction(http::Response& response, std::string_view model, const schedule::Answer& answer);
// Appends up to `count` items of the list, beginning with number `from`.
void append_items(http::Response& response, const schedule::Answer& answer, std::size_t from, std::size_t count);
void end_prediction(http::Response& response, const schedule::Answer& answer, std::uint32_t total_us);

}  // namespace yolod::app::api::predict
