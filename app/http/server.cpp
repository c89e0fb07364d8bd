#include "app/http/server.hpp"

#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "common/awake_clock.hpp"
#include "common/log.hpp"
#include "common/system/runtime_directory.hpp"

namespace yolod::app {
namespace {

namespace asio = boost::asio;
using common::Outcome;

// Connections whose deadlines are checked before the event loop has its turn: of each the kernel may have to be asked
// whether its client is still there, which takes a microsecond.
constexpr std::size_t kCheckedAtOnce = 200;

}  // namespace

Server::Server(asio::io_context& io, Service& service, const common::ServerConfig& config, std::size_t connection_limit)
    : io_(io), service_(service), config_(config), places_(connection_limit), admin_places_(kMostAdmins) {}

Outcome<void> Server::listen() {
  for (const common::ListenAddress& address : config_.listen) {
    auto listener = Listener::open(io_, address, ListenerRole::kPublic);
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
    // Where it cannot be made, bind() says so.
    mkdir(directory.c_str(), 0755);
    address = "unix:" + common::admin_socket_in(directory).string();
  }
  // Its owner's alone, from its first moment on.
  auto listener = Listener::open(io_, {address, mode_t{0600}}, ListenerRole::kAdmin);
  if (!listener && !chosen_here) return listener.error();
  if (!listener) {
    common::log_warning(
        "there is no admin socket: {}; reloads can be asked for by SIGHUP alone. "
        "server.admin_listen names another place",
        listener.error().message);
    return {};
  }
  add(std::move(*listener));
  common::log_info("admin socket at {}", admin_url_);
  start(*listeners_.back());
  return {};
}

Outcome<void> Server::take(std::vector<common::UniqueFd> listening) {
  for (auto& socket : listening) {
    auto listener = Listener::adopt(io_, std::move(socket), ListenerRole::kPublic);
    if (!listener) return listener.error();
    add(std::move(*listener));
  }
  return {};
}

void Server::add(std::unique_ptr<Listener> listener) {
  if (listener->role() == ListenerRole::kAdmin) {
    admin_url_ = listener->url();
  } else {
    urls_.push_back(listener->url());
  }
  listeners_.push_back(std::move(listener));
}

void Server::start(Listener& listener) {
  const ListenerRole role = listener.role();
  listener.start({[this, role] { return places(role).make_space(common::AwakeClock::now()); },
                  [this, role](Listener::Socket socket) { begin_session(std::move(socket), role); }});
}

void Server::start() {
  for (const auto& listener : listeners_) {
    if (listener->role() == ListenerRole::kPublic) start(*listener);
  }
}

void Server::begin_session(Listener::Socket socket, ListenerRole role) {
  boost::system::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);  // fails on a unix socket, which has no such delay
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
  for (const auto& listener : listeners_) listener->stop();
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
