#include "app/api/account/change_guard.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::app::api::account {
namespace {

struct Change {
  const char* fetch_site;
  const char* origin;
  bool has_token;
  bool allowed;
};

http::RequestHead head_of(const Change& change, const std::string& token) {
  http::RequestHead head;
  head.host = "yolod.example:8443";
  head.fetch_site = change.fetch_site;
  head.origin = change.origin;
  if (change.has_token) head.csrf_token = token;
  return head;
}

TEST_CASE("ChangeGuard: a change with a session comes from the server's own page, with the token",
          "[app][account][unit]") {
  access::Caller caller;
  caller.kind = access::Caller::Kind::kSession;
  caller.credential.fill(3);
  const std::string token = csrf_token(caller.credential);
  const auto change = GENERATE(
      Change{"same-origin", "", true, true}, Change{"same-origin", "https://elsewhere.example", true, true},
      Change{"", "https://yolod.example:8443", true, true}, Change{"", "http://YOLOD.example:8443", true, true},
      Change{"same-origin", "", false, false}, Change{"", "https://yolod.example:8443", false, false},
      Change{"", "", true, false}, Change{"same-site", "", true, false}, Change{"cross-site", "", true, false},
      Change{"none", "", true, false}, Change{"cross-site", "https://yolod.example:8443", true, false},
      Change{"", "https://yolod.example", true, false}, Change{"", "https://evil.example", true, false},
      Change{"", "https://yolod.example:8443.evil.example", true, false}, Change{"", "null", true, false});
  CAPTURE(change.fetch_site, change.origin, change.has_token);
  CHECK(check_change(head_of(change, token), caller).has_value() == !change.allowed);
}

TEST_CASE("ChangeGuard: the token of another session, and a longer one, are refused", "[app][account][unit]") {
  access::Caller caller;
  caller.kind = access::Caller::Kind::kSession;
  caller.credential.fill(3);
  auto other = caller.credential;
  other[0] ^= 1U;
  CHECK(csrf_token(other) != csrf_token(caller.credential));
  CHECK(check_change(head_of({"same-origin", "", true, true}, csrf_token(other)), caller));
  CHECK(check_change(head_of({"same-origin", "", true, true}, csrf_token(caller.credential) + "0"), caller));
}

TEST_CASE("ChangeGuard: programs need neither, but a page of another site is refused without a session too",
          "[app][account][unit]") {
  for (const auto kind :
       {access::Caller::Kind::kAnonymous, access::Caller::Kind::kKey, access::Caller::Kind::kOperator}) {
    access::Caller caller;
    caller.kind = kind;
    CHECK_FALSE(check_change(head_of({"", "", false, true}, ""), caller));
    CHECK_FALSE(check_change(head_of({"same-origin", "", false, true}, ""), caller));
    CHECK(check_change(head_of({"cross-site", "", false, false}, ""), caller));
    CHECK(check_change(head_of({"", "https://evil.example", false, false}, ""), caller));
  }
}

TEST_CASE("ChangeGuard: the cookie is out of reach of scripts and of other sites", "[app][account][unit]") {
  CHECK(begin_cookie("tok", true) == "__Host-yolod=tok; Path=/; HttpOnly; SameSite=Strict; Secure");
  CHECK(begin_cookie("tok", false) == "yolod=tok; Path=/; HttpOnly; SameSite=Strict");
  CHECK(end_cookie(true) == "__Host-yolod=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0");
  http::RequestHead head;
  CHECK(browser_has_https(head, true));
  CHECK_FALSE(browser_has_https(head, false));
  head.origin = "https://yolod.example";  // a proxy ends TLS
  CHECK(browser_has_https(head, false));
  head.origin = "http://yolod.example";
  CHECK_FALSE(browser_has_https(head, false));
}

}  // namespace
}  // namespace yolod::app::api::account
