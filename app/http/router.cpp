#include "app/http/router.hpp"

#include <algorithm>

#include "app/http/exchange.hpp"

namespace yolod::app::http {
namespace {

// Removes the segment up to the next slash, and the slash, from `path` and returns the segment.
std::string_view take_segment(std::string_view& path) {
  const std::size_t length = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, length);
  path.remove_prefix(std::min(length + 1, path.size()));
  return segment;
}

bool is_capture(std::string_view wanted, std::string_view segment) {
  if (segment.empty()) return false;
  return wanted != "{version}" || segment.find_first_not_of("0123456789") == std::string_view::npos;
}

bool matches(std::string_view pattern, std::string_view path, Captures& captures) {
  captures.clear();
  if (pattern.find('{') == std::string_view::npos) return pattern == path;
  if (std::count(pattern.begin(), pattern.end(), '/') != std::count(path.begin(), path.end(), '/')) return false;
  while (!pattern.empty()) {
    const std::string_view wanted = take_segment(pattern);
    const std::string_view segment = take_segment(path);
    if (!wanted.starts_with('{')) {
      if (segment != wanted) return false;
    } else if (!is_capture(wanted, segment) || captures.size() == captures.capacity()) {
      return false;
    } else {
      captures.push_back(segment);
    }
  }
  return path.empty();
}

}  // namespace

std::unique_ptr<Exchange> Route::make_exchange(boost::beast::http::verb method) const {
  using boost::beast::http::verb;
  return make_for_get && (method == verb::get || method == verb::head) ? make_for_get() : make();
}

bool Route::allows(boost::beast::http::verb method) const {
  const auto name = boost::beast::http::to_string(method);
  const std::string_view wanted(name.data(), name.size());
  std::string_view left = methods;
  while (!left.empty()) {
    const std::size_t length = std::min(left.find(", "), left.size());
    if (left.substr(0, length) == wanted) return true;
    left.remove_prefix(std::min(length + 2, left.size()));
  }
  return false;
}

bool Route::is_served_at(net::ListenerRole role, bool admin_alone) const {
  switch (audience) {
    case Audience::kEverybody:
    case Audience::kPeople: return true;
    case Audience::kClients: return role == net::ListenerRole::kPublic;
    case Audience::kObservers: return role == net::ListenerRole::kAdmin || !admin_alone;
    case Audience::kAdmins: return role == net::ListenerRole::kAdmin;
  }
  return false;
}

const Route* Router::find(std::string_view path, Captures& captures) const {
  const auto found = std::find_if(routes_.begin(), routes_.end(),
                                  [&](const Route& route) { return matches(route.pattern, path, captures); });
  return found == routes_.end() ? nullptr : &*found;
}

}  // namespace yolod::app::http
