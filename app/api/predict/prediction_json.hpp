// A prediction as POST /predict and PUT /image answer it: JSON, or the file that the model made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "app/http/response.hpp"
#include "app/schedule/answer_handler.hpp"
#include "common/domain/prediction.hpp"

namespace yolod::app::api::predict {

// A prediction, with Server-Timing: JSON, or the file that it is, which is taken out of `answer`. `total_us` runs from
// the request's first byte to now. Replaces all of `response`. REQUIRES: answer.prediction is no Error, here and below.
void write_prediction(http::Response& response, std::string_view model, schedule::Answer& answer,
                      std::uint32_t total_us);

// The same for a long list, piece by piece: begin_prediction(), append_items() until all of item_count() are written,
// end_prediction(). Not for files.
[[nodiscard]] std::size_t item_count(const common::Prediction& prediction);
void begin_prediction(http::Response& response, std::string_view model, const schedule::Answer& answer);
// Up to `count` members of the list from number `from` on.
void append_items(http::Response& response, const schedule::Answer& answer, std::size_t from, std::size_t count);
void end_prediction(http::Response& response, const schedule::Answer& answer, std::uint32_t total_us);

}  // namespace yolod::app::api::predict
