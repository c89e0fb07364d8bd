#include "tools/yolodctl/http_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <exception>
#include <optional>
#include <utility>

namespace yolod::tools {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::uint64_t kMaxAnswerBytes = 256ULL << 20U;

Error failure(const boost::system::error_code& error) { return {ErrorCode::kSystem, error.message()}; }

}  // namespace

Outcome<ServerUrl> parse_server_url(std::string_view text) {
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kUnix = "unix:";
  ServerUrl url;
  url.text = text;
  const Error refused{ErrorCode::kBadRequest,
                      "'" + url.text + "' is not a server's address; use http://host:port or unix:/path"};
  if (text.starts_with(kUnix)) {
    url.unix_path = text.substr(kUnix.size());
    // sun_path needs one byte for its terminator.
    constexpr std::size_t kMaxPath = 107;
    if (url.unix_path.empty() || url.unix_path.size() > kMaxPath) return refused;
    url.host = "localhost";
    return url;
  }
  if (!text.starts_with(kHttp)) return refused;
  auto authority = text.substr(kHttp.size());
  if (authority.ends_with('/')) authority.remove_suffix(1);
  if (authority.empty() || authority.find_first_of("/?#@ ") != std::string_view::npos) return refused;
  // The colons of [::1] do not precede a port.
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  auto host = has_port ? authority.substr(0, colon) : authority;
  url.port = has_port ? std::string(authority.substr(colon + 1)) : "80";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || url.port.empty() || url.port.find_first_not_of("0123456789") != std::string::npos) {
    return refused;
  }
  url.host = host;
  return url;
}

Outcome<asio::generic::stream_protocol::endpoint> resolve(const ServerUrl& url) {
  if (!url.unix_path.empty()) {
    return asio::generic::stream_protocol::endpoint(asio::local::stream_protocol::endpoint(url.unix_path));
  }
  asio::io_context context;
  asio::ip::tcp::resolver resolver(context);
  boost::system::error_code error;
  const auto found = resolver.resolve(url.host, url.port, error);
  if (error) return failure(error);
  return asio::generic::stream_protocol::endpoint(found.begin()->endpoint());
}

std::string format_request(std::string_view method, std::string_view target, const ServerUrl& url,
                           std::string_view content_type, std::string_view body, std::string_view more_fields) {
  std::string text;
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ");
  const bool is_v6 = url.host.find(':') != std::string::npos;
  text.append(is_v6 ? "[" + url.host + "]" : url.host);
  if (!url.port.empty()) text.append(":").append(url.port);
  text.append("\r\nUser-Agent: yolodctl\r\n").append(more_fields);
  if (!content_type.empty()) {
    text.append("Content-Type: ").append(content_type);
    text.append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  return text.append("\r\n").append(body);
}

asio::awaitable<Outcome<Response>> HttpConnection::exchange(std::string_view request,
                                                            std::chrono::milliseconds timeout) {
  boost::system::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  stream_.expires_after(timeout);
  for (;;) {
    const bool reused = connected_;
    if (!connected_) {
      stream_.close();
      buffer_.clear();
      co_await stream_.async_connect(endpoint_, token);
      if (error) co_return failure(error);
      // A Unix socket has no such delay to disable.
      boost::system::error_code ignored;
      stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    }
    connected_ = false;
    boost::system::error_code write_error;
    co_await asio::async_write(stream_, asio::buffer(request), asio::redirect_error(asio::use_awaitable, write_error));
    // The server may refuse the request before it is sent completely, and then close the connection. Read its answer
    // anyway.
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMaxAnswerBytes);
    co_await http::async_read(stream_, buffer_, parser, token);
    if (error) {
      if (reused && !parser.got_some() && error != beast::error::timeout) continue;
      co_return failure(write_error ? write_error : error);
    }
    connected_ = !write_error && parser.get().keep_alive();
    co_return parser.release();
  }
}

Outcome<Response> fetch(const ServerUrl& url, std::string_view method, std::string_view target,
                        std::chrono::milliseconds timeout, std::string_view json) {
  auto endpoint = resolve(url);
  if (!endpoint) return endpoint.error();
  asio::io_context context;
  HttpConnection connection(context, std::move(*endpoint));
  const auto request = format_request(method, target, url, json.empty() ? "" : "application/json", json);
  std::optional<Outcome<Response>> answer;
  const auto ask = [&]() -> asio::awaitable<void> { answer.emplace(co_await connection.exchange(request, timeout)); };
  asio::co_spawn(context, ask, [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
  context.run();
  return std::move(*answer);
}

}  // namespace yolod::tools
