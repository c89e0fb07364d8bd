// A Scratch has the memory that a connection needs only between two waits, so all connections share one object. A
// request finds the memory allocated, and an idle connection holds none of it.
#pragma once

#include <array>
#include <cstddef>

#include "app/http/captures.hpp"
#include "app/http/http_date.hpp"
#include "app/http/request_head.hpp"
#include "app/http/request_target.hpp"
#include "app/http/response.hpp"
#include "app/http/text_buffer.hpp"

namespace yolod::app::http {

// The object is used on the front-end's only thread. After a co_await, another connection may have changed it.
struct Scratch {
  RequestHeadReader reader;
  RequestTarget target;
  Captures captures;
  Response response;
  TextBuffer head;
  HttpDate date;
  // The server reads bytes into this array to discard them. All connections use it, also while they wait.
  std::array<std::byte, 64 * 1024> unread;

  // Frees the buffers after an answer that was much longer than most.
  void give_back() {
    constexpr std::size_t kKeptBytes = 1U << 20U;
    if (response.body.capacity() > kKeptBytes) response.body = TextBuffer();
    if (response.file.capacity() > kKeptBytes) response.file = {};
  }
};

}  // namespace yolod::app::http
