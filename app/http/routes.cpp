#include "app/http/routes.hpp"

#include <algorithm>
#include <array>

namespace yolod::app {
namespace {

using boost::beast::http::verb;

constexpr std::array<RouteEntry, 8> kRoutes{{
    {"/predict", Route::kPredict, "POST", Audience::kClients},
    {"/image", Route::kImage, "PUT", Audience::kClients},
    {"/", Route::kPage, "GET, HEAD", Audience::kClients},
    {"/healthz", Route::kHealth, "GET, HEAD", Audience::kEverybody},
    {"/readyz", Route::kReady, "GET, HEAD", Audience::kEverybody},
    {"/status", Route::kStatus, "GET, HEAD", Audience::kObservers},
    {"/metrics", Route::kMetrics, "GET, HEAD", Audience::kObservers},
    {"/reload", Route::kReload, "POST", Audience::kAdmins},
}};

}  // namespace

bool RouteEntry::allows(verb method) const {
  if (route == Route::kPredict || route == Route::kReload) return method == verb::post;
  if (route == Route::kImage) return method == verb::put;
  return method == verb::get || method == verb::head;
}

bool RouteEntry::is_served_at(ListenerRole role, bool admin_alone) const {
  switch (audience) {
    case Audience::kEverybody: return true;
    case Audience::kClients: return role == ListenerRole::kPublic;
    case Audience::kObservers: return role == ListenerRole::kAdmin || !admin_alone;
    case Audience::kAdmins: return role == ListenerRole::kAdmin;
  }
  return false;
}

const RouteEntry* find_route(std::string_view path) {
  const auto* const found =
      std::find_if(kRoutes.begin(), kRoutes.end(), [path](const RouteEntry& entry) { return entry.path == path; });
  return found == kRoutes.end() ? nullptr : found;
}

}  // namespace yolod::app
