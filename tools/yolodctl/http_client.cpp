#include "tools/yolodctl/http_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
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

// Returns the host without the zone of an IPv6 address, such as %eth0, which has a meaning on this machine alone.
std::string host_without_zone(const ServerUrl& url) {
  const bool is_v6 = url.host.find(':') != std::string::npos;
  return is_v6 ? url.host.substr(0, url.host.find('%')) : url.host;
}

}  // namespace

Outcome<ServerUrl> parse_server_url(std::string_view text) {
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kHttps = "https://";
  constexpr std::string_view kUnix = "unix:";
  ServerUrl url;
  url.text = text;
  const Error refused{
      ErrorCode::kBadRequest,
      "'" + url.text + "' is not a server's address; use http://host:port, https://host:port or unix:/path"};
  if (text.starts_with(kUnix)) {
    url.unix_path = text.substr(kUnix.size());
    // sun_path needs one byte for its terminator.
    constexpr std::size_t kMaxPath = 107;
    if (url.unix_path.empty() || url.unix_path.size() > kMaxPath) return refused;
    url.host = "localhost";
    return url;
  }
  url.is_tls = text.starts_with(kHttps);
  if (!url.is_tls && !text.starts_with(kHttp)) return refused;
  auto authority = text.substr(url.is_tls ? kHttps.size() : kHttp.size());
  if (authority.ends_with('/')) authority.remove_suffix(1);
  if (authority.empty() || authority.find_first_of("/?#@ ") != std::string_view::npos) return refused;
  // The colons of [::1] do not precede a port.
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  auto host = has_port ? authority.substr(0, colon) : authority;
  url.port = has_port ? std::string(authority.substr(colon + 1)) : url.is_tls ? "443" : "80";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || url.port.empty() || url.port.find_first_not_of("0123456789") != std::string::npos) {
    return refused;
  }
  url.host = host;
  return url;
}

Outcome<ServerPlace> resolve(const ServerUrl& url, const TlsTrust& trust) {
  if (!url.is_tls && (trust.is_insecure || !trust.ca_file.empty())) {
    return Error{ErrorCode::kBadRequest, "--ca and --insecure need an address with https://"};
  }
  if (!url.unix_path.empty()) {
    return ServerPlace{{asio::local::stream_protocol::endpoint(url.unix_path)}};
  }
  asio::io_context context;
  asio::ip::tcp::resolver resolver(context);
  boost::system::error_code error;
  const auto found = resolver.resolve(url.host, url.port, error);
  if (error) return failure(error);
  ServerPlace place;
  for (const auto& one : found) place.endpoints.emplace_back(one.endpoint());
  if (!url.is_tls) return place;
  place.host = host_without_zone(url);
  place.tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(place.tls->native_handle(), TLS1_2_VERSION);
  place.tls->set_verify_mode(trust.is_insecure ? asio::ssl::verify_none : asio::ssl::verify_peer);
  if (trust.ca_file.empty()) {
    place.tls->set_default_verify_paths(error);
    if (error) return Error{ErrorCode::kSystem, "the system's certificates of authorities: " + error.message()};
  } else {
    place.tls->load_verify_file(trust.ca_file, error);
    if (error) return Error{ErrorCode::kSystem, trust.ca_file + ": no certificates in PEM: " + error.message()};
  }
  return place;
}

Outcome<void> expect_host(SSL* connection, const ServerPlace& place) {
  boost::system::error_code is_name;
  asio::ip::make_address(place.host, is_name);
  X509_VERIFY_PARAM* const rules = SSL_get0_param(connection);
  bool is_set = false;
  if (is_name) {
    // The server name in the handshake must not be an address (RFC 6066, 3).
    is_set = SSL_set_tlsext_host_name(connection, place.host.c_str()) == 1 &&
             X509_VERIFY_PARAM_set1_host(rules, place.host.c_str(), place.host.size()) == 1;
  } else {
    is_set = X509_VERIFY_PARAM_set1_ip_asc(rules, place.host.c_str()) == 1;
  }
  // Without a name OpenSSL accepts a certificate for every name.
  if (!is_set) return Error{ErrorCode::kSystem, "no certificate can be checked for the host " + place.host};
  return Outcome<void>();
}

std::string explain_handshake(SSL* connection, const boost::system::error_code& error) {
  const auto verified = SSL_get_verify_result(connection);
  if (SSL_get_verify_mode(connection) == SSL_VERIFY_NONE || verified == X509_V_OK) {
    return "the TLS handshake failed: " + error.message();
  }
  return std::string("the server's certificate is refused: ") + X509_verify_cert_error_string(verified) +
         "; --ca names a file with the certificate of its authority";
}

std::string host_field(const ServerUrl& url) {
  std::string text = host_without_zone(url);
  if (text.find(':') != std::string::npos) text.insert(0, "[").append("]");
  if (!url.port.empty()) text.append(":").append(url.port);
  return text;
}

std::string format_request(std::string_view method, std::string_view target, const ServerUrl& url,
                           std::string_view content_type, std::string_view body, std::string_view more_fields) {
  std::string text;
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(host_field(url));
  text.append("\r\nUser-Agent: yolodctl\r\n").append(more_fields);
  if (!content_type.empty()) {
    text.append("Content-Type: ").append(content_type);
    text.append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  return text.append("\r\n").append(body);
}

asio::awaitable<Outcome<void>> HttpConnection::connect() {
  boost::system::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  tls_.reset();
  buffer_.clear();
  for (const auto& endpoint : place_.endpoints) {
    stream_.close();
    co_await stream_.async_connect(endpoint, token);
    if (!error) break;
  }
  if (error) co_return failure(error);
  // A Unix socket has no such delay to disable.
  boost::system::error_code ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  if (place_.tls == nullptr) co_return Outcome<void>();
  tls_.emplace(stream_, *place_.tls);
  auto expected = expect_host(tls_->native_handle(), place_);
  if (!expected) co_return expected;
  co_await tls_->async_handshake(asio::ssl::stream_base::client, token);
  if (!error) co_return Outcome<void>();
  co_return Error{ErrorCode::kSystem, explain_handshake(tls_->native_handle(), error)};
}

template <typename Stream>
asio::awaitable<Outcome<Response>> HttpConnection::exchange_over(Stream& stream, std::string_view request,
                                                                 bool& may_repeat) {
  boost::system::error_code error;
  boost::system::error_code write_error;
  co_await asio::async_write(stream, asio::buffer(request), asio::redirect_error(asio::use_awaitable, write_error));
  // The server may refuse the request before it is sent completely, and then close the connection. Read its answer
  // anyway.
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxAnswerBytes);
  co_await http::async_read(stream, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    may_repeat = !parser.got_some() && error != beast::error::timeout;
    co_return failure(write_error ? write_error : error);
  }
  connected_ = !write_error && parser.get().keep_alive();
  co_return parser.release();
}

asio::awaitable<Outcome<Response>> HttpConnection::exchange(std::string_view request,
                                                            std::chrono::milliseconds timeout) {
  stream_.expires_after(timeout);
  for (;;) {
    const bool reused = connected_;
    if (!connected_) {
      const auto connected = co_await connect();
      if (!connected) co_return connected.error();
    }
    connected_ = false;
    bool may_repeat = false;
    std::optional<Outcome<Response>> answer;
    if (tls_) {
      answer.emplace(co_await exchange_over(*tls_, request, may_repeat));
    } else {
      answer.emplace(co_await exchange_over(stream_, request, may_repeat));
    }
    if (!answer->ok() && reused && may_repeat) continue;
    co_return *std::move(answer);
  }
}

Outcome<Response> fetch(const ServerUrl& url, std::string_view method, std::string_view target,
                        std::chrono::milliseconds timeout, std::string_view json, const TlsTrust& trust) {
  auto place = resolve(url, trust);
  if (!place) return place.error();
  asio::io_context context;
  HttpConnection connection(context, *std::move(place));
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
