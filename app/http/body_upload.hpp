// A BodyUpload moves one request's body into the memory that its exchange provides (the room). It handles bodies
// with a Content-Length and chunked bodies. Its clock measures how fast the body arrives. It has no socket: the
// connection moves the bytes and calls this class after each piece.
//
//   begin() --> kRoom --> kContent, kFraming or kMoreRoom, any number of them --> kComplete or kRefused
//
// A connection owns one object and uses it for one body after another, on the front-end's only thread.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "app/http/chunked_decoder.hpp"
#include "app/http/exchange.hpp"
#include "app/http/request_head.hpp"
#include "app/http/upload_clock.hpp"
#include "app/http/upload_pace.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"

namespace yolod::app::http {

class BodyUpload {
 public:
  enum class State {
    kRoom,      // it needs a room of room_bytes(); call use_room()
    kContent,   // read the next bytes into place(), then call content_came()
    kFraming,   // read more bytes into the buffer, then call take()
    kMoreRoom,  // a chunked body has filled its first room; provide room_bytes(), call use_room()
    kComplete,  // the body is complete: the first received_bytes() of the room
    kRefused,   // error() has the reason
  };

  // Begins the body that `head` declares. Returns kRoom, or kRefused if there is no body or it is too long.
  State begin(const RequestHead& head, const Exchange::BodyRule& rule);
  // Sets the memory for the body and takes what `buffer` holds. If a chunked body gets a larger room, the bytes
  // received so far must be at its start already.
  State use_room(std::span<std::byte> room, boost::beast::flat_buffer& buffer);
  // Consumes the bytes of `buffer` that belong to the body. They must follow the bytes that were taken before. The
  // bytes of a secret body are overwritten in the buffer.
  State take(boost::beast::flat_buffer& buffer);
  // Returns the memory for the next bytes of the body, at most `most_bytes`. REQUIRES: the state is kContent.
  [[nodiscard]] std::span<std::byte> place(std::size_t most_bytes) const;
  State content_came(std::size_t bytes);

  [[nodiscard]] std::uint64_t room_bytes() const { return room_bytes_; }
  [[nodiscard]] std::uint64_t received_bytes() const { return received_bytes_; }
  [[nodiscard]] bool is_chunked() const { return chunks_ != nullptr; }
  // REQUIRES: kRefused.
  [[nodiscard]] const common::Error& error() const { return *error_; }
  // Ends the upload, complete or not, and forgets the room and the error.
  void end();

  // ---- its pace ----

  // See UploadClock.
  void start_clock(common::Clock::time_point now) { clock_.start(now, received_bytes_); }
  void stop_clock() { clock_.stop(); }
  [[nodiscard]] bool is_timed() const { return clock_.is_running(); }
  void pause(common::Clock::time_point now) { clock_.pause(now); }
  void resume(common::Clock::time_point now) { clock_.resume(now); }
  [[nodiscard]] bool is_late(std::chrono::milliseconds body_timeout, common::Clock::time_point now) {
    return clock_.is_late(progress(), body_timeout, now);
  }
  [[nodiscard]] std::optional<UploadCost> cost(std::chrono::milliseconds body_timeout,
                                               common::Clock::time_point now) const {
    return clock_.cost(progress(), body_timeout, now);
  }
  void evict(std::chrono::milliseconds body_timeout, common::Clock::time_point now) {
    clock_.evict(progress(), body_timeout, now);
  }
  [[nodiscard]] bool was_evicted() const { return clock_.was_evicted(); }

 private:
  [[nodiscard]] UploadClock::Progress progress() const {
    return {chunks_ ? std::uint64_t{0} : length_bytes_, received_bytes_, room_.size()};
  }
  State refuse(common::Error error);
  State chunks_ended();

  bool is_secret_{false};
  std::uint64_t length_bytes_{0};  // the limit, for a chunked body
  std::uint64_t room_bytes_{0};
  std::uint64_t received_bytes_{0};
  std::span<std::byte> room_;
  std::unique_ptr<ChunkedDecoder> chunks_;
  std::optional<common::Error> error_;

  UploadClock clock_;
};

}  // namespace yolod::app::http
