// Handles one picture of a stream. A picture is a whole message. The handler writes the answer of POST /predict and
// puts these members before it:
//
//   seq       the number of the picture in its stream, from 1
//   id        the client's id of the picture, if it has one
//   dropped   how many pictures were dropped since the answer before, if any were
//
// If the model makes a file, the text of the answer names its type and length, and the file follows as a binary
// message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "app/api/handler.hpp"
#include "app/api/stream/options.hpp"
#include "app/serving/models.hpp"
#include "common/clock.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api::stream {

class PictureHandler final : public api::Handler, public common::Recycled<PictureHandler> {
 public:
  // Returns how many pictures were dropped since its last call.
  using TakeDropped = std::function<std::uint64_t()>;

  // `models` outlives this object.
  PictureHandler(const serving::Models& models, std::uint64_t number, StreamOptions options, TakeDropped take_dropped)
      : models_(models), number_(number), options_(std::move(options)), take_dropped_(std::move(take_dropped)) {}

  [[nodiscard]] common::Outcome<void> begin(const http::RequestView& request, api::Plan& plan,
                                            http::Response& response) override;
  [[nodiscard]] common::Outcome<bool> ready(std::span<const std::byte> body, std::size_t budget_bytes,
                                            api::Calls& calls) override;
  [[nodiscard]] bool render(const Result& result, http::Response& response) override;
  void write_error(const common::Error& error, std::uint32_t retry_after_seconds, http::Response& response) override;

 private:
  // Writes the members above, and then the JSON object in `answer`.
  void write_around(std::string_view answer, http::TextBuffer& out);
  [[nodiscard]] std::uint32_t elapsed_us() const;

  const serving::Models& models_;
  const std::uint64_t number_;
  const StreamOptions options_;
  const TakeDropped take_dropped_;
  common::Clock::time_point began_;
  std::optional<std::size_t> written_items_;  // set while a long list is written in pieces
};

}  // namespace yolod::app::api::stream
