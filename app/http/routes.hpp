// Which paths there are and what may be done with each.
#pragma once

#include <ostream>  // before verb.hpp, which uses it without including it (Boost 1.81)

#include <boost/beast/http/verb.hpp>
#include <string_view>

namespace yolod::app {

enum class Route { kPredict, kImage, kPage, kHealth, kReady, kStatus, kMetrics, kReload };

struct RouteEntry {
  std::string_view path;
  Route route;
  std::string_view allow;  // the Allow header of a 405

  // HEAD is allowed wherever GET is.
  [[nodiscard]] bool allows(boost::beast::http::verb method) const;
};

// Null if there is no such path.
[[nodiscard]] const RouteEntry* find_route(std::string_view path);

}  // namespace yolod::app
