#include "app/net/listener.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "common/await.hpp"
#include "common/log.hpp"

namespace yolod::app::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using common::Error;
using common::ErrorCode;
using common::Outcome;
using Endpoint = asio::generic::stream_protocol::endpoint;

// The listener waits this long after accept() has failed for lack of file descriptors, and while there is no space.
constexpr std::chrono::milliseconds kAcceptPause{50};
constexpr std::string_view kUnixPrefix = "unix:";

Error cannot_listen(const std::string& address, const error_code& failure) {
  return {ErrorCode::kSystem, "cannot listen on " + address + ": " + failure.message()};
}

// The config has checked `address`: "host:port" with a numeric host or localhost, or "[v6]:port".
Outcome<tcp::endpoint> parse_tcp(const std::string& address) {
  const auto colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  const std::string port_text = colon == std::string::npos ? "" : address.substr(colon + 1);
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  error_code failure;
  const auto ip = asio::ip::make_address(host, failure);
  unsigned short port = 0;
  const auto [end, wrong] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (failure || port_text.empty() || wrong != std::errc{} || end != port_text.data() + port_text.size()) {
    return Error{ErrorCode::kSystem, "cannot listen on " + address + ": it is not an address and a port"};
  }
  return tcp::endpoint(ip, port);
}

template <typename Bound>
Bound bound_as(const Endpoint& actual) {
  Bound bound;
  bound.resize(actual.size());
  std::memcpy(bound.data(), actual.data(), actual.size());
  return bound;
}

std::string url_of(const Endpoint& actual) {
  if (actual.protocol().family() == AF_UNIX) {
    return std::string(kUnixPrefix) + bound_as<asio::local::stream_protocol::endpoint>(actual).path();
  }
  const auto bound = bound_as<tcp::endpoint>(actual);
  const std::string ip = bound.address().to_string();
  return "http://" + (bound.address().is_v6() ? "[" + ip + "]" : ip) + ":" + std::to_string(bound.port());
}

}  // namespace

Outcome<std::unique_ptr<Listener>> Listener::open(asio::io_context& io, const common::ListenAddress& wanted,
                                                  ListenerRole role) {
  const std::string& address = wanted.address;
  const bool local = !is_tcp_address(address);
  const std::string path = local ? address.substr(kUnixPrefix.size()) : "";
  std::unique_ptr<Listener> made(new Listener(io, role));
  auto& acceptor = made->acceptor_;
  Endpoint endpoint;
  error_code failure;
  if (local) {
    remove_stale_socket(io, path);
    endpoint = asio::local::stream_protocol::endpoint(path);
    acceptor.open(asio::local::stream_protocol(), failure);
  } else {
    auto parsed = parse_tcp(address);
    if (!parsed) return parsed.error();
    endpoint = *parsed;
    acceptor.open(parsed->protocol(), failure);
    if (!failure) acceptor.set_option(asio::socket_base::reuse_address(true), failure);
    if (!failure && parsed->address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), failure);
  }
  if (!failure) {
    constexpr std::uint32_t kModeOfGroup = 0660;
    const FileMode mode(wanted.group.empty() ? wanted.mode : wanted.mode.value_or(kModeOfGroup));
    acceptor.bind(endpoint, failure);
  }
  if (!failure && local) made->file_.emplace(path);
  if (!failure && !wanted.group.empty()) {
    if (auto given = give_to_group(path, wanted.group); !given) return given.error();
  }
  if (!failure) acceptor.listen(asio::socket_base::max_listen_connections, failure);
  if (!failure) made->url_ = url_of(acceptor.local_endpoint(failure));
  if (failure) return cannot_listen(address, failure);
  return made;
}

Outcome<std::unique_ptr<Listener>> Listener::adopt(asio::io_context& io, common::UniqueFd listening,
                                                   ListenerRole role) {
  constexpr const char* kWhich = "a socket of the service manager";
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return common::last_system_error(kWhich);
  }
  std::unique_ptr<Listener> made(new Listener(io, role));
  error_code failure;
  made->acceptor_.assign(asio::generic::stream_protocol(address.ss_family, 0), listening.get(), failure);
  if (failure) return cannot_listen(kWhich, failure);
  (void)listening.release();
  made->url_ = url_of(made->acceptor_.local_endpoint(failure));
  if (failure) return cannot_listen(kWhich, failure);
  return made;
}

bool is_tcp_address(const std::string& address) { return !address.starts_with(kUnixPrefix); }

Listener::~Listener() { remove_file(); }

void Listener::use_tls(std::unique_ptr<TlsFiles> tls) {
  tls_ = std::move(tls);
  url_ = "https" + url_.substr(url_.find("://"));
}

bool Listener::is_tcp() const { return is_tcp_address(url_); }

// Call it before the socket closes. After that, the file of this name may already belong to another server.
void Listener::remove_file() {
  if (file_) file_->remove();
  file_.reset();
}

void Listener::start(Owner owner) {
  owner_ = std::move(owner);
  asio::co_spawn(io_, accept_all(), asio::detached);
}

void Listener::take(Socket socket) {
  try {
    owner_->take(std::move(socket));
  } catch (const std::bad_alloc&) {
    common::log_error("a connection is dropped: there is no memory for it");
  }
}

asio::awaitable<void> Listener::accept_all() {
  asio::steady_timer pause(io_);
  bool said = false;
  while (acceptor_.is_open()) {
    if (!owner_->has_space()) {
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(common::kAwait);
      continue;
    }
    Socket socket(io_);
    auto [failure] = co_await acceptor_.async_accept(socket, common::kAwait);
    if (failure == asio::error::operation_aborted || failure == asio::error::bad_descriptor) co_return;
    if (failure) {
      // The client gave up while it waited, or there are no file descriptors. The other connections stay queued in
      // the kernel.
      if (!std::exchange(said, true))
        common::log_warning("the server cannot accept a connection: {}; it tries again", failure.message());
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(common::kAwait);
      continue;
    }
    said = false;
    take(std::move(socket));
  }
}

void Listener::stop() {
  remove_file();
  error_code failure;
  acceptor_.non_blocking(true, failure);
  while (owner_ && !failure) {
    Socket socket(io_);
    acceptor_.accept(socket, failure);
    if (!failure) take(std::move(socket));
  }
  acceptor_.close(failure);
}

}  // namespace yolod::app::net
