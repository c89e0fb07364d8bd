// Tests a request's header, as the first bytes of a connection, and then the parts of it that the server uses.
#include "app/http/request_head.hpp"

#include <boost/beast/http/error.hpp>

#include "app/http/request_target.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using namespace yolod;

YOLOD_FUZZ_TARGET(request_head) {
  static app::http::RequestHeadReader reader;
  static app::http::RequestTarget target;
  app::http::RequestHead head;
  const auto failure = reader.read(boost::asio::buffer(data, size), head);
  if (failure) return 0;
  const auto text = fuzz::as_text(data, size);
  fuzz::require(head.bytes <= size && head.bytes <= app::http::RequestHeadReader::kLimitBytes);
  fuzz::require(text.substr(0, head.bytes).ends_with("\r\n\r\n"));
  if (!head.ambiguity.empty()) return 0;
  // A shorter piece of the same bytes must be incomplete or give the same header.
  app::http::RequestHead shorter;
  fuzz::require(reader.read(boost::asio::buffer(data, head.bytes - 1), shorter) ==
                boost::beast::http::error::need_more);
  fuzz::require(!reader.read(boost::asio::buffer(data, head.bytes), head));
  (void)target.parse(head.target);
  return 0;
}
