// What a request's header says, as far as this server looks at it. No sockets.
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

#include "common/error.hpp"

namespace yolod::app::http {

// The texts are the reader's, and good until it reads the next.
struct RequestHead {
  std::size_t bytes{0};  // of the header, with its empty line
  boost::beast::http::verb method{boost::beast::http::verb::unknown};
  std::string_view target;
  unsigned version{11};  // 10 or 11
  bool keep_alive{false};
  bool chunked{false};
  std::uint64_t content_length{0};  // 0 also if none is said
  bool expects_continue{false};
  // By a proxy, or by a page in a browser: who asks is then not who has the connection.
  bool forwarded{false};
  std::string_view content_type;
  std::string_view content_encoding;
  std::string_view accept;
  std::string_view request_id;  // as it was sent
  std::string_view request_timeout;
  // What two parsers could read differently, or what RFC 9112 says to refuse (3.2, 6.1); empty if all is plain.
  std::string_view ambiguity;

  [[nodiscard]] bool has_body() const { return chunked || content_length != 0; }
};

// One object reads one header after another, and keeps its room. One thread.
class RequestHeadReader {
 public:
  static constexpr std::uint32_t kLimitBytes = 16 * 1024;

  RequestHeadReader();
  RequestHeadReader(const RequestHeadReader&) = delete;
  RequestHeadReader& operator=(const RequestHeadReader&) = delete;

  // Of `received`, which begins with a header and may go on behind it. Fails with http::error::need_more until the
  // header's empty line is there, with header_limit past kLimitBytes, else with what is not HTTP/1.1 in it.
  [[nodiscard]] boost::system::error_code read(boost::asio::const_buffer received, RequestHead& head);

 private:
  using Allocator = std::pmr::polymorphic_allocator<char>;
  using Parser = boost::beast::http::request_parser<boost::beast::http::empty_body, Allocator>;

  void take_fields(RequestHead& head) const;

  // A header of a usual size; the heap has what goes beyond it.
  std::array<std::byte, 8192> room_;
  std::pmr::monotonic_buffer_resource memory_;
  std::optional<Parser> parser_;
};

// What is wrong with a header that read() failed with, for its client: kHeaderTooLarge or kBadRequest.
[[nodiscard]] common::Error explain_bad_head(boost::system::error_code failure);

}  // namespace yolod::app::http
