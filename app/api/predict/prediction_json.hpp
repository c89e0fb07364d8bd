// Writes a prediction as the answer of POST /predict and PUT /image: as JSON, or as the file that the model
// produced. Only the front-end's thread calls these functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "app/http/response.hpp"
#include "app/schedule/answer_handler.hpp"
#include "common/domain/prediction.hpp"
#include "common/domain/work_times.hpp"

namespace yolod::app::api::predict {

// Returns the media type of a file, for Content-Type and for descriptions of the file.
[[nodiscard]] std::string_view content_type_of(common::FileType type);

// Writes a file as the whole answer and replaces the whole response. The file is moved out of `file`.
void write_file(http::Response& response, common::EncodedFile& file);

// These functions write a prediction as JSON in pieces: begin_prediction(), then append_items() until item_count()
// items are written, then end_prediction(). REQUIRES: answer.prediction is neither an Error nor a file.
[[nodiscard]] std::size_t item_count(const common::Prediction& prediction);
void begin_prediction(http::TextBuffer& out, std::string_view model, const schedule::Answer& answer);
// Appends up to `count` items of the list, beginning with number `from`.
void append_items(http::TextBuffer& out, const schedule::Answer& answer, std::size_t from, std::size_t count);
void end_prediction(http::TextBuffer& out, const schedule::Answer& answer, std::uint32_t total_us);

// The microseconds that one request spent in each stage.
struct StageTimes {
  std::uint32_t queue_us{0};
  common::WorkTimes work;
};
[[nodiscard]] StageTimes times_of(const schedule::Answer& answer);
void append_server_timing(http::TextBuffer& fields, const StageTimes& times);

}  // namespace yolod::app::api::predict
