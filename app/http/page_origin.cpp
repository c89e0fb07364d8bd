#include "app/http/page_origin.hpp"

#include <string_view>

#include "app/http/characters.hpp"

namespace yolod::app::http {
namespace {

// Returns the host and port of an origin, or an empty text.
std::string_view host_of_origin(std::string_view origin) {
  for (const std::string_view scheme : {std::string_view("https://"), std::string_view("http://")}) {
    if (origin.starts_with(scheme)) return origin.substr(scheme.size());
  }
  return {};
}

}  // namespace

PageOrigin page_origin_of(const RequestHead& head) {
  if (!head.fetch_site.empty()) return head.fetch_site == "same-origin" ? PageOrigin::kOwn : PageOrigin::kForeign;
  if (head.origin.empty()) return PageOrigin::kNone;
  const auto host = host_of_origin(head.origin);
  return !host.empty() && equal_ignoring_case(host, head.host) ? PageOrigin::kOwn : PageOrigin::kForeign;
}

}  // namespace yolod::app::http
