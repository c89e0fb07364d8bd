// An HTTP client for a running yolod, over TCP or a Unix socket, on one io_context.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "common/outcome.hpp"

namespace yolod::tools {

// The address of a server: "http://host:port" (default port 80) or "unix:/path".
struct ServerUrl {
  std::string text;  // the text of the user, for messages
  std::string host;  // also for the Host header, with its port
  std::string port;
  std::string unix_path;  // if not empty: use a Unix socket
};

// Returns an Error with code kBadRequest that says what is allowed.
[[nodiscard]] common::Outcome<ServerUrl> parse_server_url(std::string_view text);

using Response = boost::beast::http::response<boost::beast::http::string_body>;

// A connection that is opened again when it is closed. Only the io_context's one thread may use it.
class HttpConnection {
 public:
  HttpConnection(boost::asio::io_context& context, boost::asio::generic::stream_protocol::endpoint endpoint)
      : endpoint_(std::move(endpoint)), stream_(context) {}

  // Sends the bytes of `request` and reads the answer. If a kept connection was closed before the first byte of the
  // answer, the function opens a new connection once and sends the request again, as HTTP allows. An Error has code
  // kSystem.
  boost::asio::awaitable<common::Outcome<Response>> exchange(std::string_view request,
                                                             std::chrono::milliseconds timeout);

 private:
  boost::asio::generic::stream_protocol::endpoint endpoint_;
  boost::beast::basic_stream<boost::asio::generic::stream_protocol> stream_;
  boost::beast::flat_buffer buffer_;
  bool connected_{false};
};

// Resolves the address of `url`; this may block. An Error has code kSystem.
[[nodiscard]] common::Outcome<boost::asio::generic::stream_protocol::endpoint> resolve(const ServerUrl& url);

// Returns the bytes of a request, with Content-Type and Content-Length if there is a body. `more_fields` are further
// header lines, each with its line break.
[[nodiscard]] std::string format_request(std::string_view method, std::string_view target, const ServerUrl& url,
                                         std::string_view content_type = {}, std::string_view body = {},
                                         std::string_view more_fields = {});

// Sends one request: resolves the address, connects, and reads the answer. A body that is not empty is JSON.
[[nodiscard]] common::Outcome<Response> fetch(const ServerUrl& url, std::string_view method, std::string_view target,
                                              std::chrono::milliseconds timeout, std::string_view json = {});

}  // namespace yolod::tools
