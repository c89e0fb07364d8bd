#include "app/http/page_origin.hpp"

#include <catch2/catch.hpp>

namespace yolod::app::http::page_origin_test {
namespace {

PageOrigin origin_of(const char* fetch_site, const char* origin) {
  RequestHead head;
  head.host = "yolod.example:8443";
  head.fetch_site = fetch_site;
  head.origin = origin;
  return page_origin_of(head);
}

TEST_CASE("PageOrigin: Sec-Fetch-Site decides, and Origin only without it", "[app][http][unit]") {
  CHECK(origin_of("", "") == PageOrigin::kNone);
  CHECK(origin_of("same-origin", "") == PageOrigin::kOwn);
  CHECK(origin_of("same-origin", "https://elsewhere.example") == PageOrigin::kOwn);
  CHECK(origin_of("", "https://yolod.example:8443") == PageOrigin::kOwn);
  CHECK(origin_of("", "http://YOLOD.example:8443") == PageOrigin::kOwn);
  for (const char* const site : {"same-site", "cross-site", "none", "Same-Origin", "x"}) {
    CAPTURE(site);
    CHECK(origin_of(site, "https://yolod.example:8443") == PageOrigin::kForeign);
  }
  for (const char* const origin : {"null", "https://yolod.example", "https://evil.example", "yolod.example:8443",
                                   "https://", "https://yolod.example:8443.evil.example"}) {
    CAPTURE(origin);
    CHECK(origin_of("", origin) == PageOrigin::kForeign);
  }
}

}  // namespace
}  // namespace yolod::app::http::page_origin_test
