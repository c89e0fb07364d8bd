// What a connection needs only as long as it does not wait: one for all of them. So a request finds everything
// allocated, and a connection that is idle holds none of it.
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

// Front-end only, its one thread. What is in it is anyone's after the next co_await.
struct Scratch {
  RequestHeadReader reader;
  RequestTarget target;
  Captures captures;
  Response response;
  TextBuffer head;
  HttpDate date;
  // Where what nobody reads goes: of all connections at once, also while they wait.
  std::array<std::byte, 64 * 1024> unread;

  // After an answer that was far longer than most.
  void give_back() {
    constexpr std::size_t kKeptBytes = 1U << 20U;
    if (response.body.capacity() > kKeptBytes) response.body = TextBuffer();
    if (response.file.capacity() > kKeptBytes) response.file = {};
  }
};

}  // namespace yolod::app::http
