// One request's body on its way into the room that its exchange has for it: of a length that the header says, or
// chunked; and how fast it comes. No sockets: its connection moves the bytes, and asks after each piece what comes
// next.
//
//   begin() --> kRoom --> kContent, kFraming or kMoreRoom, any number of them --> kComplete or kRefused
//
// Front-end only, its one thread.
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
#include "app/http/upload_pace.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"

namespace yolod::app::http {

class BodyUpload {
 public:
  enum class State {
    kRoom,      // it needs room_bytes() of room: then use_room()
    kContent,   // what comes next is to be read into place(): then content_came()
    kFraming,   // more bytes are to be read into the buffer: then take()
    kMoreRoom,  // a chunked body has filled its first room and needs room_bytes(): then use_room()
    kComplete,  // received_bytes() of the room are the body
    kRefused,   // error() says why
  };

  // A body as `head` declares it: kRoom, or kRefused if there is none or it is too long.
  State begin(const RequestHead& head, const Exchange::BodyRule& rule);
  // Where the body goes from now on. Of a chunked body what has come lies there already.
  State use_room(std::span<std::byte> room, boost::beast::flat_buffer& buffer);
  // Takes the beginning of `buffer`, which is what comes next of the connection.
  State take(boost::beast::flat_buffer& buffer);
  // Where up to so many bytes may be read, as what comes next. REQUIRES: kContent.
  [[nodiscard]] std::span<std::byte> place(std::size_t most_bytes) const;
  State content_came(std::size_t bytes);

  [[nodiscard]] std::uint64_t room_bytes() const { return room_bytes_; }
  [[nodiscard]] std::uint64_t received_bytes() const { return received_bytes_; }
  [[nodiscard]] bool is_chunked() const { return chunks_ != nullptr; }
  // REQUIRES: kRefused.
  [[nodiscard]] const common::Error& error() const { return *error_; }
  // No more of it comes.
  void end();

  // ---- its pace ----

  // From now on the client is waited for, or no more.
  void start_clock(common::Clock::time_point now);
  void stop_clock() { reading_ = false; }
  [[nodiscard]] bool is_timed() const { return reading_; }
  // The same for a wait that is the server's doing: it counts as if it had not been.
  void pause(common::Clock::time_point now);
  void go_on(common::Clock::time_point now);
  // Whether it has taken too long; measures how fast it comes. To be called every so often.
  [[nodiscard]] bool is_late(std::chrono::milliseconds body_timeout, common::Clock::time_point now);
  // Room times time that it will still take (upload_pace), and the room that it holds; nothing if it cannot be asked to
  // give way.
  [[nodiscard]] std::optional<UploadCost> cost(std::chrono::milliseconds body_timeout,
                                               common::Clock::time_point now) const;
  // Notes that it is ended for the sake of others.
  void give_way(std::chrono::milliseconds body_timeout, common::Clock::time_point now);
  // It was ended for the sake of others though it had kept the pace.
  [[nodiscard]] bool gave_way() const { return gave_way_; }

 private:
  [[nodiscard]] Upload upload() const;
  State refuse(common::Error error);
  State chunks_ended();

  std::uint64_t length_bytes_{0};  // at most, of a chunked body
  std::uint64_t room_bytes_{0};
  std::uint64_t received_bytes_{0};
  std::span<std::byte> room_;
  std::unique_ptr<ChunkedDecoder> chunks_;
  std::optional<common::Error> error_;

  bool reading_{false};
  bool gave_way_{false};
  std::uint64_t received_at_last_check_{0};
  double recent_rate_{0};  // bytes a second
  common::Clock::time_point began_;
  common::Clock::time_point checked_;
  common::Clock::time_point paused_;
};

}  // namespace yolod::app::http
