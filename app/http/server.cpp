#include "app/http/server.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
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

void tell(const std::string& listener, const std::vector<std::string>& warnings) {
  for (const auto& warning : warnings) {
    common::log_warning("the certificate of {} is used, but should be changed: {}", listener, warning);
  }
}

}  // namespace

Server::Server(asio::io_context& io, Application& application, const common::ServerConfig& config,
               std::size_t connection_limit)
    : io_(io), config_(config), connections_(io, application, config, connection_limit) {}

Outcome<void> Server::listen() {
  for (std::size_t i = 0; i < config_.listen.size(); ++i) {
    auto listener = net::Listener::open(io_, config_.listen[i], net::ListenerRole::kPublic);
    if (!listener) return listener.error();
    if (auto begun = begin_tls(**listener, i); !begun) return begun;
    add(std::move(*listener));
  }
  return {};
}

const common::TlsConfig& Server::tls_files(std::size_t index) const {
  const bool has_own = index < config_.listen.size() && !config_.listen[index].tls.empty();
  return has_own ? config_.listen[index].tls : config_.tls;
}

// The clients of a unix socket are on this machine, and the mode of its file says which. They need no TLS.
Outcome<void> Server::begin_tls(net::Listener& listener, std::size_t index) {
  const common::TlsConfig& files = tls_files(index);
  if (files.empty() || !listener.is_tcp()) return {};
  std::vector<std::string> warnings;
  auto tls = net::TlsFiles::open(files, std::chrono::system_clock::now(), warnings);
  if (!tls) return tls.error();
  tell(listener.url(), warnings);
  listener.use_tls(std::move(*tls));
  index_of_[&listener] = index;
  return {};
}

Outcome<void> Server::check_tls() const {
  std::vector<common::TlsConfig> checked;
  for (std::size_t i = 0; i < config_.listen.size(); ++i) {
    const common::TlsConfig& files = tls_files(i);
    const bool is_done = std::find(checked.begin(), checked.end(), files) != checked.end();
    if (files.empty() || is_done || !net::is_tcp_address(config_.listen[i].address)) continue;
    std::vector<std::string> warnings;
    if (auto tls = net::TlsFiles::open(files, std::chrono::system_clock::now(), warnings); !tls) return tls.error();
    tell(config_.listen[i].address, warnings);
    checked.push_back(files);
  }
  return {};
}

void Server::reload_tls() {
  for (const auto& listener : listeners_) {
    net::TlsFiles* const tls = listener->tls();
    if (tls == nullptr) continue;
    const common::TlsConfig files = tls_files(index_of_.at(listener.get()));
    if (auto read = tls->reload(files, std::chrono::system_clock::now()); !read) {
      common::log_error("{}: the new certificate is not used, and the certificate before it stays: {}", listener->url(),
                        read.error().message);
    } else {
      tell(listener->url(), tls->context()->warnings());
    }
  }
}

void Server::reload_changed_tls() {
  for (const auto& listener : listeners_) {
    if (listener->tls() == nullptr) continue;
    const auto changed = listener->tls()->reload_if_changed(std::chrono::system_clock::now());
    if (!changed) {
      common::log_error("{}: the changed certificate is not used, and the certificate before it stays: {}",
                        listener->url(), changed.error().message);
    } else if (*changed == net::TlsFiles::Change::kTaken) {
      common::log_info("{}: new connections use the changed certificate", listener->url());
      tell(listener->url(), listener->tls()->context()->warnings());
    }
  }
}

std::vector<Server::Certificate> Server::certificates() const {
  std::vector<Certificate> found;
  for (const auto& listener : listeners_) {
    if (listener->tls() != nullptr) found.push_back({listener->url(), listener->tls()->context()->not_after()});
  }
  return found;
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
    const std::string url = (*listener)->url();
    const auto entry = std::find_if(config_.listen.begin(), config_.listen.end(),
                                    [&url](const auto& one) { return url == "http://" + one.address; });
    const bool some_have_own =
        std::any_of(config_.listen.begin(), config_.listen.end(), [](const auto& one) { return !one.tls.empty(); });
    if ((*listener)->is_tcp() && entry == config_.listen.end() && some_have_own && config_.tls.empty()) {
      return common::Error{common::ErrorCode::kBadConfig,
                           url +
                               " is a socket of the service manager, and server.listen does not have its address, "
                               "which would tell whether it has TLS; add the address, or set server.tls"};
    }
    const auto index = static_cast<std::size_t>(entry - config_.listen.begin());
    if (auto begun = begin_tls(**listener, index); !begun) return begun;
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
  const bool has_tls = listener.tls() != nullptr;
  listener.start({[this, role, has_tls] {
                    const auto now = common::AwakeClock::now();
                    Places& places = connections_.places(role);
                    return (!has_tls || places.make_space_for_handshake(now)) && places.make_space(now);
                  },
                  [this, &listener](net::Listener::Socket socket) { begin_connection(std::move(socket), listener); }});
}

void Server::start() {
  for (const auto& listener : listeners_) {
    if (listener->role() == net::ListenerRole::kPublic) start(*listener);
  }
}

void Server::begin_connection(net::Listener::Socket socket, const net::Listener& listener) {
  boost::system::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);  // fails on a Unix socket, which needs no such option
  auto tls = listener.tls() == nullptr ? nullptr : listener.tls()->context();
  auto connection = std::make_shared<Connection>(std::move(socket), listener.role(), connections_, std::move(tls));
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
