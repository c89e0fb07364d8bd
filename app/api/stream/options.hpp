// Parses the options of a stream. They are the query of the WebSocket's path, and the members of the JSON objects that
// the client sends as text messages. Any thread may call these functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "app/http/request_target.hpp"
#include "app/schedule/urgency.hpp"
#include "common/domain/options.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::stream {

struct StreamOptions {
  static constexpr std::uint32_t kMostInFlight = 64;
  static constexpr std::size_t kMostIdBytes = 128;
  enum class Drop : std::uint8_t {
    kNone,    // the server stops reading
    kOldest,  // a new picture replaces the picture that waits
  };

  std::string model;  // of the whole stream; empty for the default model
  common::PredictionOptions prediction;
  schedule::Priority priority{schedule::Priority::kNormal};
  Drop drop{Drop::kNone};
  // The most pictures that the scheduler has at a time. Absent: as many as the model has workers.
  std::optional<std::uint32_t> max_in_flight;
  std::optional<std::chrono::milliseconds> timeout;  // of each picture, from its first byte
  std::string id;                                    // of the next picture; empty for none
};

// Parses the query. An Error of these functions is kInvalidParameter.
[[nodiscard]] common::Outcome<StreamOptions> parse_stream_query(const http::RequestTarget& target);

// Changes `options` as the JSON object in `text` says. A null sets an option back to its default. After an Error
// nothing has changed; it is kBadRequest if the text is no JSON object.
[[nodiscard]] common::Outcome<void> change_options(std::string_view text, StreamOptions& options);

}  // namespace yolod::app::api::stream
