// Tests a form: the first line is the Content-Type header, and the rest is the body.
#include "app/http/multipart.hpp"

#include <algorithm>
#include <span>

#include "tests/fuzz/fuzz_input.hpp"

using namespace yolod;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::as_text(data, size);
  const auto line_end = std::min(text.find('\n'), text.size());
  const auto content_type = text.substr(0, line_end);
  const auto body = text.substr(std::min(line_end + 1, text.size()));
  (void)app::http::is_multipart(content_type);
  const auto boundary = app::http::multipart_boundary(content_type);
  if (!boundary) return 0;
  const auto bytes = std::as_bytes(std::span(body.data(), body.size()));
  const auto part = app::http::find_part(bytes, *boundary, "image");
  if (!part) {
    fuzz::require_one_line(part.error(), common::ErrorCode::kBadRequest);
    return 0;
  }
  fuzz::require(part->empty() ||
                (part->data() >= bytes.data() && part->data() + part->size() <= bytes.data() + bytes.size()));
  return 0;
}
