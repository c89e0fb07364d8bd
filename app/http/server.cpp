#include "app/http/server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <charconv>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

#include "app/net/socket_file.hpp"
#include "common/await.hpp"
#include "common/awake_clock.hpp"
#include "common/log.hpp"
#include "common/system/runtime_directory.hpp"

namespace yolod::app {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using common::Error;
using common::ErrorCode;
using common::Outcome;
using Endpoint = asio::generic::stream_protocol::endpoint;

// After an accept that failed for want of descriptors, and at the limit of connections.
constexpr std::chrono::milliseconds kAcceptPause{50};
// Connections whose deadlines are checked before the event loop has its turn: of each the kernel may have to be asked
// whether its client is still there, which takes a microsecond.
constexpr std::size_t kCheckedAtOnce = 200;
constexpr std::string_view kUnixPrefix = "unix:";

Error cannot_listen(const std::string& address, const error_code& failure) {
  return {ErrorCode::kSystem, "cannot listen on " + address + ": " + failure.message()};
}

// `address` has been checked by the config: "host:port" with a numeric host or localhost, "[v6]:port".
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
    return Error{ErrorCode::kSystem, "cannot listen on " + address + ": not an address and a port"};
  }
  return tcp::endpoint(ip, port);
}

// "http://127.0.0.1:8080", "unix:/run/yolod/http.sock".
std::string url_of(const Endpoint& actual) {
  if (actual.protocol().family() == AF_UNIX) {
    asio::local::stream_protocol::endpoint bound;
    bound.resize(actual.size());
    std::memcpy(bound.data(), actual.data(), actual.size());
    return std::string(kUnixPrefix) + bound.path();
  }
  tcp::endpoint bound;
  bound.resize(actual.size());
  std::memcpy(bound.data(), actual.data(), actual.size());
  const std::string host =
      bound.address().is_v6() ? "[" + bound.address().to_string() + "]" : bound.address().to_string();
  return "http://" + host + ":" + std::to_string(bound.port());
}

}  // namespace

Server::Server(asio::io_context& io, Service& service, const common::ServerConfig& config, std::size_t connection_limit)
    : io_(io), service_(service), config_(config), places_(connection_limit), admin_places_(kMostAdmins) {}

Server::~Server() { remove_socket_files(); }

// Before the listener closes: after that the name may already be another server's.
void Server::remove_socket_files() {
  for (const SocketFile& file : socket_files_) file.remove();
  socket_files_.clear();
}

Outcome<void> Server::listen() {
  for (const common::ListenAddress& address : config_.listen) {
    if (auto listening = listen_at(address, ListenerRole::kPublic); !listening) return listening;
  }
  return {};
}

Outcome<void> Server::listen_for_admins() {
  if (config_.admin_listen.empty()) return {};
  const bool chosen_here = config_.admin_listen == common::kAdminListenAuto;
  std::string address = config_.admin_listen;
  if (chosen_here) {
    const auto directory = common::runtime_directories().front();
    // Where it cannot be made, bind() says so.
    mkdir(directory.c_str(), 0755);
    address = std::string(kUnixPrefix) + common::admin_socket_in(directory).string();
  }
  // Its owner's alone, from its first moment on.
  auto listening = listen_at({address, mode_t{0600}}, ListenerRole::kAdmin);
  if (!listening && !chosen_here) return listening;
  if (!listening) {
    common::log_warning(
        "there is no admin socket: {}; reloads can be asked for by SIGHUP alone. "
        "server.admin_listen names another place",
        listening.error().message);
    return {};
  }
  common::log_info("admin socket at {}", admin_url_);
  accept_from(listeners_.back());
  return {};
}

Outcome<void> Server::listen_at(const common::ListenAddress& wanted, ListenerRole role) {
  const std::string& address = wanted.address;
  const bool local = address.starts_with(kUnixPrefix);
  const std::string path = local ? address.substr(kUnixPrefix.size()) : "";
  Endpoint endpoint;
  auto acceptor = std::make_unique<Acceptor>(io_);
  error_code failure;
  if (local) {
    remove_stale_socket(io_, path);
    endpoint = asio::local::stream_protocol::endpoint(path);
    acceptor->open(asio::local::stream_protocol(), failure);
  } else {
    auto parsed = parse_tcp(address);
    if (!parsed) return parsed.error();
    endpoint = *parsed;
    acceptor->open(parsed->protocol(), failure);
    if (!failure) acceptor->set_option(asio::socket_base::reuse_address(true), failure);
    if (!failure && parsed->address().is_v6()) acceptor->set_option(asio::ip::v6_only(true), failure);
  }
  if (!failure) {
    constexpr std::uint32_t kModeOfGroup = 0660;
    const FileMode mode(wanted.group.empty() ? wanted.mode : wanted.mode.value_or(kModeOfGroup));
    acceptor->bind(endpoint, failure);
  }
  if (!failure && local) socket_files_.emplace_back(path);
  if (!failure && !wanted.group.empty()) {
    if (auto given = give_to_group(path, wanted.group); !given) return given;
  }
  if (!failure) acceptor->listen(asio::socket_base::max_listen_connections, failure);
  if (failure) return cannot_listen(address, failure);

  add(std::move(acceptor), role);
  return {};
}

Outcome<void> Server::take(std::vector<common::UniqueFd> listening) {
  for (auto& socket : listening) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      return common::last_system_error("a socket of the service manager");
    }
    auto acceptor = std::make_unique<Acceptor>(io_);
    error_code failure;
    acceptor->assign(asio::generic::stream_protocol(address.ss_family, 0), socket.get(), failure);
    if (failure) return cannot_listen("a socket of the service manager", failure);
    (void)socket.release();
    add(std::move(acceptor), ListenerRole::kPublic);
  }
  return {};
}

void Server::add(std::unique_ptr<Acceptor> acceptor, ListenerRole role) {
  auto url = url_of(acceptor->local_endpoint());
  if (role == ListenerRole::kAdmin) {
    admin_url_ = std::move(url);
  } else {
    urls_.push_back(std::move(url));
  }
  listeners_.push_back({std::move(acceptor), role});
}

void Server::accept_from(Listener& listener) {
  asio::co_spawn(io_, accept_all(*listener.acceptor, listener.role), asio::detached);
}

void Server::start() {
  accepting_ = true;
  for (Listener& listener : listeners_) {
    if (listener.role == ListenerRole::kPublic) accept_from(listener);
  }
}

asio::awaitable<void> Server::accept_all(Acceptor& acceptor, ListenerRole role) {
  asio::steady_timer pause(io_);
  bool said = false;
  while (acceptor.is_open()) {
    if (!places(role).make_space(common::AwakeClock::now())) {
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(common::kAwait);
      continue;
    }
    Session::Socket socket(io_);
    auto [failure] = co_await acceptor.async_accept(socket, common::kAwait);
    if (failure == asio::error::operation_aborted || failure == asio::error::bad_descriptor) co_return;
    if (failure) {
      // The client gave up while it waited, or there are no descriptors: the others stay queued in the kernel.
      if (!std::exchange(said, true)) common::log_warning("accept: {}; trying again", failure.message());
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(common::kAwait);
      continue;
    }
    said = false;
    try {
      begin_session(std::move(socket), role);
    } catch (const std::bad_alloc&) {
      common::log_error("no memory for another connection");
    }
  }
}

void Server::begin_session(Session::Socket socket, ListenerRole role) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);  // fails on a unix socket, which has no such delay
  auto session = std::make_shared<Session>(std::move(socket), role, *this, service_, config_);
  asio::co_spawn(io_, session->run(), [](const std::exception_ptr& failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      common::log_error("a connection ended with an exception: {}", error.what());
    }
  });
}

void Server::stop_accepting() {
  remove_socket_files();
  for (const Listener& listener : listeners_) {
    error_code failure;
    listener.acceptor->non_blocking(true, failure);
    while ((accepting_ || listener.role == ListenerRole::kAdmin) && !failure) {
      Session::Socket socket(io_);
      listener.acceptor->accept(socket, failure);
      if (!failure) begin_session(std::move(socket), listener.role);
    }
    listener.acceptor->close(failure);
  }
}

void Server::close_idle() {
  const auto close = [](Place& place) { place.give_up_place(); };
  for (Places* const places : {&places_, &admin_places_}) {
    places->for_each(Occupation::kSilent, close);
    places->for_each(Occupation::kIdle, close);
  }
}

void Server::close_all() {
  close_idle();
  const auto close = [](Place& place) { place.give_up_place(); };
  for (const Occupation occupation : {Occupation::kLingering, Occupation::kUnfinished, Occupation::kAwaitingRoom,
                                      Occupation::kUnreadAnswer, Occupation::kBusy}) {
    places_.for_each(occupation, close);
    admin_places_.for_each(occupation, close);
  }
}

void Server::check_deadlines() {
  if (std::exchange(checking_, true)) return;
  check_more_deadlines();
}

void Server::check_more_deadlines() {
  const auto now = common::AwakeClock::now();
  if (!places_.check_some_deadlines(kCheckedAtOnce, now) || !admin_places_.check_some_deadlines(kCheckedAtOnce, now)) {
    asio::post(io_, [this] { check_more_deadlines(); });
    return;
  }
  checking_ = false;
  relieve_pressure(now);
  scratch_.give_back();
}

void Server::relieve_pressure(common::Clock::time_point now) {
  const auto [first_bytes, least_bytes] = service_.body_room().shortage(now);
  if (first_bytes == 0) return;
  candidates_.clear();
  uploading_.clear();
  places_.for_each(Occupation::kBusy, [&](Place& place) {
    auto& session = static_cast<Session&>(place);  // all places are sessions'
    const auto cost = session.upload_cost(now);
    if (!cost) return;
    candidates_.push_back({cost->cost, cost->held_bytes, uploading_.size()});
    uploading_.push_back(&session);
  });
  std::size_t victims = choose_victims(candidates_, first_bytes);
  if (victims == 0) victims = choose_victims(candidates_, least_bytes);
  for (std::size_t i = 0; i < victims; ++i) uploading_[candidates_[i].index]->give_way(now);
}

}  // namespace yolod::app
