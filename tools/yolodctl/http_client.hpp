// HTTP to a running yolod, over TCP or a Unix socket, on one io_context.
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

// Where a server is: "http://host:port" (port 80 where none is given) or "unix:/path".
struct ServerUrl {
  std::string text;  // as it was given, for messages
  std::string host;  // for the Host header too, with its port
  std::string port;
  std::string unix_path;  // not empty: a Unix socket
};

// An error of kBadRequest says what is allowed.
[[nodiscard]] common::Outcome<ServerUrl> parse_server_url(std::string_view text);

using Response = boost::beast::http::response<boost::beast::http::string_body>;

// One connection, reopened whenever it is not there. All of it on the io_context's one thread.
class HttpConnection {
 public:
  HttpConnection(boost::asio::io_context& context, boost::asio::generic::stream_protocol::endpoint endpoint)
      : endpoint_(std::move(endpoint)), stream_(context) {}

  // Sends `request`, the whole message as bytes, and reads its answer. A kept connection that turns out to have been
  // closed before any byte of the answer is replaced once and the request sent again, as HTTP allows. An error is
  // kSystem.
  boost::asio::awaitable<common::Outcome<Response>> exchange(std::string_view request,
                                                             std::chrono::milliseconds timeout);

 private:
  boost::asio::generic::stream_protocol::endpoint endpoint_;
  boost::beast::basic_stream<boost::asio::generic::stream_protocol> stream_;
  boost::beast::flat_buffer buffer_;
  bool connected_{false};
};

// The address that `url` names; resolving may block. An error is kSystem.
[[nodiscard]] common::Outcome<boost::asio::generic::stream_protocol::endpoint> resolve(const ServerUrl& url);

// The bytes of a request; Content-Type and Content-Length where there is a body.
[[nodiscard]] std::string format_request(std::string_view method, std::string_view target, const ServerUrl& url,
                                         std::string_view content_type = {}, std::string_view body = {});

// One request, from resolving to its answer.
[[nodiscard]] common::Outcome<Response> fetch(const ServerUrl& url, std::string_view method, std::string_view target,
                                              std::chrono::milliseconds timeout);

}  // namespace yolod::tools
