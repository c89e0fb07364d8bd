// Compresses an answer in pieces that each take well below 1 ms.
//
// The handler owns it and uses it on the front-end's only thread.
#pragma once

#include <zlib.h>

#include <cstddef>

#include "app/api/content_coding.hpp"
#include "app/http/response.hpp"

namespace yolod::app::api {

class AnswerPacker {
 public:
  // A handler does not compress a shorter answer.
  static constexpr std::size_t kLeastBytes = 1024;

  // REQUIRES: `coding` is not kIdentity.
  explicit AnswerPacker(ContentCoding coding);
  AnswerPacker(const AnswerPacker&) = delete;
  AnswerPacker& operator=(const AnswerPacker&) = delete;
  ~AnswerPacker();

  // Compresses the next piece of the response's body. Returns true when the response has the compressed body and its
  // Content-Encoding. The response does not change if the compressed body would not be shorter. REQUIRES: the same
  // `response` in each call.
  [[nodiscard]] bool pack_some(http::Response& response);

 private:
  const ContentCoding coding_;
  z_stream stream_{};
  bool usable_{false};
  std::size_t at_{0};
  http::TextBuffer packed_;
};

}  // namespace yolod::app::api
