#include "app/http/routes.hpp"

#include <algorithm>
#include <array>

namespace yolod::app {
namespace {

using boost::beast::http::verb;

constexpr std::array<RouteEntry, 8> kRoutes{{
    {"/predict", Route::kPredict, "POST"},
    {"/image", Route::kImage, "PUT"},
    {"/", Route::kPage, "GET, HEAD"},
    {"/healthz", Route::kHealth, "GET, HEAD"},
    {"/readyz", Route::kReady, "GET, HEAD"},
    {"/status", Route::kStatus, "GET, HEAD"},
    {"/metrics", Route::kMetrics, "GET, HEAD"},
    {"/reload", Route::kReload, "POST"},
}};

}  // namespace

bool RouteEntry::allows(verb method) const {
  if (route == Route::kPredict || route == Route::kReload) return method == verb::post;
  if (route == Route::kImage) return method == verb::put;
  return method == verb::get || method == verb::head;
}

const RouteEntry* find_route(std::string_view path) {
  const auto* const found =
      std::find_if(kRoutes.begin(), kRoutes.end(), [path](const RouteEntry& entry) { return entry.path == path; });
  return found == kRoutes.end() ? nullptr : found;
}

}  // namespace yolod::app
