// Finds the route of a request by its path. The route says which methods it allows and which listeners serve it.
#pragma once

#include <ostream>  // before verb.hpp, which uses it without including it (Boost 1.81)

#include <boost/beast/http/verb.hpp>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "app/access/caller.hpp"
#include "app/http/captures.hpp"
#include "app/net/listener_role.hpp"

namespace yolod::app::http {

class Exchange;

// Says which listeners serve a route.
enum class Audience {
  kEverybody,  // both listeners, also for connections in the reserve
  kClients,    // only the public listeners
  kPeople,     // both listeners
  kObservers,  // the admin listener, and the public ones unless server.admin_listen names an address
  kAdmins,     // only the admin listener
};

// Says whether a request to a route changes something that outlives the request.
enum class Effect {
  kNone,     // also the routes of people, which have a stricter check (app/api/account/change_guard)
  kChanges,  // a page of another site may not send such a request
};

struct Route {
  // The pattern is a path such as "/predict", or has captures, as in "/v2/models/{model}/infer". A capture matches
  // one whole segment that is not empty. The capture {version} matches only digits.
  std::string_view pattern;
  std::string_view methods;  // as the Allow header names them: "GET, HEAD"
  Audience audience;
  access::Need need;  // of a request from a public listener; with kEverybody it is kNothing
  // Makes the exchange of a request whose method is in `methods`.
  std::function<std::unique_ptr<Exchange>()> make;
  Effect effect{Effect::kNone};
  // If it is true, a request may have its API key in the body. The exchange then checks the key
  // (RequestView::late_check).
  bool key_in_body{false};
  // If it is true, a request may have its API key in the query, as api_key. Clients of some protocols send it nowhere
  // else.
  bool key_in_query{false};
  // If it is set, requests with GET and HEAD have this exchange, and `make` makes the exchange of the other methods.
  std::function<std::unique_ptr<Exchange>()> make_for_get{};

  [[nodiscard]] std::unique_ptr<Exchange> make_exchange(boost::beast::http::verb method) const;
  [[nodiscard]] bool allows(boost::beast::http::verb method) const;
  // `admin_alone` is true if server.admin_listen names an address.
  [[nodiscard]] bool is_served_at(net::ListenerRole role, bool admin_alone) const;
};

// The router holds the table of routes, which does not change after construction. The front-end's only thread uses
// it.
class Router {
 public:
  // If several patterns match a path, the first of them is used.
  explicit Router(std::vector<Route> routes) : routes_(std::move(routes)) {}

  // Returns null if no pattern matches. The `captures` are views into `path`, which is percent-decoded: they may
  // contain any byte except a slash and NUL.
  [[nodiscard]] const Route* find(std::string_view path, Captures& captures) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace yolod::app::http
