// An HTTP client for a running yolod, over TCP, TLS or a Unix socket, on one io_context.
//
// With https the client checks the server's certificate: an authority of the system, or of the file in TlsTrust, must
// have signed it, and it must be for the host of the URL.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::tools {

// The address of a server: "http://host:port" (default port 80), "https://host:port" (default port 443) or
// "unix:/path".
struct ServerUrl {
  std::string text;  // the text of the user, for messages
  std::string host;  // a name or an address; an IPv6 address has no brackets, but may have a zone: fe80::1%eth0
  std::string port;
  std::string unix_path;  // if not empty: use a Unix socket
  bool is_tls{false};
};

// Returns an Error with code kBadRequest that says what is allowed.
[[nodiscard]] common::Outcome<ServerUrl> parse_server_url(std::string_view text);

using Response = boost::beast::http::response<boost::beast::http::string_body>;

// The certificates that a client with https accepts.
struct TlsTrust {
  std::string ca_file{};    // certificates of authorities in PEM; empty: the authorities of the system
  bool is_insecure{false};  // accept every certificate
};

// The place of a server, with the settings of its connections.
struct ServerPlace {
  std::vector<boost::asio::generic::stream_protocol::endpoint>
      endpoints;                                     // at least one; the first that answers counts
  std::shared_ptr<boost::asio::ssl::context> tls{};  // null: without TLS
  std::string host{};                                // for which the certificate must be; without a zone
};

// Sets the name that the server's certificate must have. Call it before the handshake. After an Error, which has code
// kSystem, the caller must not connect: no name would be checked. REQUIRES: place.tls is not null.
[[nodiscard]] common::Outcome<void> expect_host(SSL* connection, const ServerPlace& place);
// Returns a sentence about a handshake that failed with `error`.
[[nodiscard]] std::string explain_handshake(SSL* connection, const boost::system::error_code& error);

// A connection that is opened again when it is closed. Only the io_context's one thread may use it.
class HttpConnection {
 public:
  HttpConnection(boost::asio::io_context& context, ServerPlace place) : place_(std::move(place)), stream_(context) {}

  // Sends the bytes of `request` and reads the answer. If a kept connection was closed before the first byte of the
  // answer, the function opens a new connection once and sends the request again, as HTTP allows. An Error has code
  // kSystem.
  boost::asio::awaitable<common::Outcome<Response>> exchange(std::string_view request,
                                                             std::chrono::milliseconds timeout);

 private:
  using Plain = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;
  boost::asio::awaitable<common::Outcome<void>> connect();
  // Does the work of exchange() on a connected stream, which has TLS or not.
  template <typename Stream>
  boost::asio::awaitable<common::Outcome<Response>> exchange_over(Stream& stream, std::string_view request,
                                                                  bool& may_repeat);

  ServerPlace place_;
  Plain stream_;
  std::optional<boost::asio::ssl::stream<Plain&>> tls_;  // while connected with TLS
  boost::beast::flat_buffer buffer_;
  bool connected_{false};
};

// Resolves the address of `url` and reads the certificates of the authorities; this may block. An Error has code
// kSystem, or kBadRequest if the URL has no https and `trust` is not empty.
[[nodiscard]] common::Outcome<ServerPlace> resolve(const ServerUrl& url, const TlsTrust& trust = {});

// Returns the Host field of a request: the host, in brackets if it is an IPv6 address, and the port.
[[nodiscard]] std::string host_field(const ServerUrl& url);

// Returns the bytes of a request, with Content-Type and Content-Length if there is a body. `more_fields` are further
// header lines, each with its line break.
[[nodiscard]] std::string format_request(std::string_view method, std::string_view target, const ServerUrl& url,
                                         std::string_view content_type = {}, std::string_view body = {},
                                         std::string_view more_fields = {});

// Sends one request: resolves the address, connects, and reads the answer. A body that is not empty is JSON.
[[nodiscard]] common::Outcome<Response> fetch(const ServerUrl& url, std::string_view method, std::string_view target,
                                              std::chrono::milliseconds timeout, std::string_view json = {},
                                              const TlsTrust& trust = {});

}  // namespace yolod::tools
