// Which paths there are and what may be done with each.
#pragma once

#include <ostream>  // before verb.hpp, which uses it without including it (Boost 1.81)

#include <boost/beast/http/verb.hpp>
#include <string_view>

#include "app/net/listener_role.hpp"

namespace yolod::app {

// On which listeners a route is found.
enum class Audience {
  kEverybody,  // both
  kClients,    // the public listeners alone
  kObservers,  // the admin listener; the public ones as well, unless server.admin_listen names an address
  kAdmins,     // the admin listener alone
};

enum class Route { kPredict, kImage, kPage, kHealth, kReady, kStatus, kMetrics, kReload };

struct RouteEntry {
  std::string_view path;
  Route route;
  std::string_view allow;  // the Allow header of a 405
  Audience audience;

  // HEAD is allowed wherever GET is.
  [[nodiscard]] bool allows(boost::beast::http::verb method) const;
  // `admin_alone`: server.admin_listen names an address.
  [[nodiscard]] bool is_served_at(ListenerRole role, bool admin_alone) const;
};

// Null if there is no such path.
[[nodiscard]] const RouteEntry* find_route(std::string_view path);

}  // namespace yolod::app
