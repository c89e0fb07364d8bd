// Finds the route of a request: by its path, the method, and the listener that it came to.
#pragma once

#include <ostream>  // before verb.hpp, which uses it without including it (Boost 1.81)

#include <boost/beast/http/verb.hpp>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "app/http/captures.hpp"
#include "app/net/listener_role.hpp"

namespace yolod::app::http {

class Exchange;

// On which listeners a route is found.
enum class Audience {
  kEverybody,  // both; also served from the reserve of connections
  kClients,    // the public listeners alone
  kObservers,  // the admin listener; the public ones as well, unless server.admin_listen names an address
  kAdmins,     // the admin listener alone
};

struct Route {
  // "/predict", or with captures, each of which is one whole segment that is not empty: "/v2/models/{model}/infer".
  std::string_view pattern;
  std::string_view methods;  // as the Allow header names them: "GET, HEAD"
  Audience audience;
  // Called for each request whose method is one of `methods`.
  std::function<std::unique_ptr<Exchange>()> make;

  [[nodiscard]] bool allows(boost::beast::http::verb method) const;
  // `admin_alone`: server.admin_listen names an address.
  [[nodiscard]] bool is_served_at(net::ListenerRole role, bool admin_alone) const;
};

// One thread.
class Router {
 public:
  // Of patterns that fit the same path the first is taken.
  explicit Router(std::vector<Route> routes) : routes_(std::move(routes)) {}

  // Null if there is no such path. `captures` view into `path`, which is percent-decoded: they may hold any byte but a
  // slash and NUL.
  [[nodiscard]] const Route* find(std::string_view path, Captures& captures) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace yolod::app::http
