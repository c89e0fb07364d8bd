// Parses the request line and the header fields that this server uses. It needs no socket.
#pragma once

#include <ostream>  // before verb.hpp, which uses it without including it (Boost 1.81)

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string_view>

#include "app/access/credential.hpp"
#include "app/access/forwarding.hpp"
#include "common/error.hpp"

namespace yolod::app::http {

// The texts belong to the reader and are valid until it reads the next head.
struct RequestHead {
  std::size_t bytes{0};  // the length of the head, including its empty line
  boost::beast::http::verb method{boost::beast::http::verb::unknown};
  std::string_view target;
  unsigned version{11};  // 10 or 11
  bool keep_alive{false};
  bool chunked{false};
  std::uint64_t content_length{0};  // 0 also if the field is absent
  bool expects_continue{false};
  // A proxy or a page in a browser sent this request, so the other end of the connection is not its author.
  bool forwarded{false};
  std::string_view content_type;
  std::string_view content_encoding;
  std::string_view accept;
  std::string_view accept_encoding;
  std::string_view if_none_match;
  std::string_view request_id;  // exactly as the client sent it
  std::string_view request_timeout;
  access::Credential credential;
  // The session of the cookie that only connections without TLS accept. See credential_fields.hpp.
  access::Credential plain_session;
  access::Forwarding forwarding;
  std::string_view host;
  std::string_view origin;
  std::string_view asked_method;             // Access-Control-Request-Method, which makes OPTIONS a preflight
  std::string_view fetch_site;               // Sec-Fetch-Site
  std::string_view csrf_token;               // X-CSRF-Token
  std::string_view inference_header_length;  // Inference-Header-Content-Length
  bool asks_for_upgrade{false};              // Connection has "upgrade"
  std::string_view upgrade;
  std::string_view websocket_key;      // Sec-WebSocket-Key
  std::string_view websocket_version;  // Sec-WebSocket-Version
  bool offers_subprotocol{false};      // Sec-WebSocket-Protocol has "yolod" (credential_fields.hpp)
  // Says why two parsers could read this head differently, or why RFC 9112 requires its refusal (3.2, 6.1). The text
  // is empty if there is no such reason.
  std::string_view ambiguity;

  [[nodiscard]] bool has_body() const { return chunked || content_length != 0; }
};

// Reads one head after another and reuses its memory. Only one thread may use an object.
class RequestHeadReader {
 public:
  static constexpr std::uint32_t kLimitBytes = 16 * 1024;

  RequestHeadReader();
  RequestHeadReader(const RequestHeadReader&) = delete;
  RequestHeadReader& operator=(const RequestHeadReader&) = delete;

  // Parses the head at the start of `received`; other bytes may follow it. Returns http::error::need_more until the
  // empty line has arrived, header_limit if the head exceeds kLimitBytes, and otherwise the violation of HTTP/1.1.
  [[nodiscard]] boost::system::error_code read(boost::asio::const_buffer received, RequestHead& head);

 private:
  using Allocator = std::pmr::polymorphic_allocator<char>;
  using Parser = boost::beast::http::request_parser<boost::beast::http::empty_body, Allocator>;

  void take_fields(RequestHead& head) const;

  // A head of usual size fits into this memory. A longer head uses the heap.
  std::array<std::byte, 8192> room_;
  std::pmr::monotonic_buffer_resource memory_;
  std::optional<Parser> parser_;
};

// Explains to the client why read() has failed. The code is kHeaderTooLarge or kBadRequest.
[[nodiscard]] common::Error explain_bad_head(boost::system::error_code failure);

}  // namespace yolod::app::http
