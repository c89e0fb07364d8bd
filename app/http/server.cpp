#include "app/http/server.hpp"

#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <exception>
#include <utility>

#include "app/http/connection.hpp"
#include "common/awake_clock.hpp"
#include "common/log.hpp"
#include "common/system/runtime_directory.hpp"

namespace yolod::app::http {
namespace {

namespace asio = boost::asio;
using common::Outcome;

}  // namespace

Server::Server(asio::io_context& io, Application& application, const common::ServerConfig& config,
               std::size_t connection_limit)
    : io_(io), config_(config), connections_(io, application, config, connection_limit) {}

Outcome<void> Server::listen() {
  for (const common::ListenAddress& address : config_.listen) {
    auto listener = net::Listener::open(io_, address, net::ListenerRole::kPublic);
    if (!listener) return listener.error();
    add(std::move(*listener));
  }
  return {};
}

Outcome<void> Server::listen_for_admins() {
  if (config_.admin_listen.empty()) return {};
  const bool chosen_here = config_.admin_listen == common::kAdminListenAuto;
  std::string address = config_.admin_listen;
  if (chosen_here) {
    const auto directory = common::runtime_directories().front();
    // If this fails, bind() reports the error.
    mkdir(directory.c_str(), 0755);
    address = "unix:" + common::admin_socket_in(directory).string();
  }
  // The mode gives the socket to its owner only, from its creation on.
  auto listener = net::Listener::open(io_, {address, mode_t{0600}}, net::ListenerRole::kAdmin);
  if (!listener && !chosen_here) return listener.error();
  if (!listener) {
    common::log_warning(
        "the server has no admin socket: {}; only SIGHUP can request a reload. "
        "To use another path, set server.admin_listen",
        listener.error().message);
    return {};
  }
  add(std::move(*listener));
  common::log_info("the admin socket is at {}", admin_url_);
  start(*listeners_.back());
  return {};
}

Outcome<void> Server::take(std::vector<common::UniqueFd> listening) {
  for (auto& socket : listening) {
    auto listener = net::Listener::adopt(io_, std::move(socket), net::ListenerRole::kPublic);
    if (!listener) return listener.error();
    add(std::move(*listener));
  }
  return {};
}

void Server::add(std::unique_ptr<net::Listener> listener) {
  if (listener->role() == net::ListenerRole::kAdmin) {
    admin_url_ = listener->url();
  } else {
    urls_.push_back(listener->url());
  }
  listeners_.push_back(std::move(listener));
}

void Server::start(net::Listener& listener) {
  const net::ListenerRole role = listener.role();
  listener.start({[this, role] { return connections_.places(role).make_space(common::AwakeClock::now()); },
                  [this, role](net::Listener::Socket socket) { begin_connection(std::move(socket), role); }});
}

void Server::start() {
  for (const auto& listener : listeners_) {
    if (listener->role() == net::ListenerRole::kPublic) start(*listener);
  }
}

void Server::begin_connection(net::Listener::Socket socket, net::ListenerRole role) {
  boost::system::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);  // fails on a Unix socket, which needs no such option
  auto connection = std::make_shared<Connection>(std::move(socket), role, connections_);
  asio::co_spawn(io_, connection->run(), [](const std::exception_ptr& failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      common::log_error("a connection ended with an exception: {}", error.what());
    }
  });
}

void Server::stop_accepting() {
  for (const auto& listener : listeners_) listener->stop();
}

}  // namespace yolod::app::http
