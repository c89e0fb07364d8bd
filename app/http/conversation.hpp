// A Conversation is an API's side of one WebSocket. It says what each message of the client means. It has no socket, so
// tests can drive it with bytes.
//
//   message --begin_message()--> an exchange, whose body the message is and whose answer is a message to the client
//                           \--> no exchange: the message is a note, a short text that note_came() gets whole
//
// The WebSocket owns the conversation and calls it on the front-end's only thread. Answers are sent in the order of the
// messages. The conversation outlives the exchanges that it has made.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "app/http/exchange.hpp"
#include "app/http/response.hpp"

namespace yolod::app::http {

class Conversation {
 public:
  // The server refuses longer notes.
  static constexpr std::size_t kMostNoteBytes = 4096;
  enum class Kind { kText, kBinary };

  Conversation() = default;
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  virtual ~Conversation() = default;

  // A message has begun. Its exchange gets a head without fields. A text that an
  // exchange gets may end in the middle of a character of UTF-8. The WebSocket sends the body of
  // its answer as a text message and the file as a binary message. It sends nothing if both are empty. If the result is
  // null, a text is a note, and a binary message ends the WebSocket with the close code 1003.
  [[nodiscard]] virtual std::unique_ptr<Exchange> begin_message(Kind kind) = 0;
  // A note has come, which is valid UTF-8. The body of `response` is sent as a text message unless it is empty.
  virtual void note_came(std::string_view text, Response& response) = 0;
  // The server reads no further message while this many messages have no answer that was sent. The result is at
  // least 1.
  [[nodiscard]] virtual std::size_t most_unanswered() const = 0;
};

}  // namespace yolod::app::http
