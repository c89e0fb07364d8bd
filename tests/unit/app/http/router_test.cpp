#include "app/http/router.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "app/http/exchange.hpp"

namespace yolod::app::http {
namespace {

using boost::beast::http::verb;

const Router& test_router() {
  static const Router kRouter(
      {{"/plain", "GET, HEAD", Audience::kClients, access::Need::kNothing, {}},
       {"/models/{model}", "GET", Audience::kClients, access::Need::kNothing, {}},
       {"/models/{model}/infer", "POST", Audience::kClients, access::Need::kNothing, {}},
       {"/models/{model}/versions/{version}", "GET", Audience::kClients, access::Need::kNothing, {}},
       {"/{a}/{b}/{c}/{d}/{e}", "GET", Audience::kClients, access::Need::kNothing, {}}});
  return kRouter;
}

std::string found(const std::string& path) {
  Captures captures;
  const Route* const route = test_router().find(path, captures);
  if (route == nullptr) return "";
  std::string text(route->pattern);
  for (const auto capture : captures) text.append("|").append(capture);
  return text;
}

TEST_CASE("Router: a path without braces matches only itself", "[app][unit]") {
  CHECK(found("/plain") == "/plain");
  for (const auto* path : {"", "/", "/plain/", "/plainx", "plain", "/Plain", "//plain"}) {
    CAPTURE(path);
    CHECK(found(path).empty());
  }
}

TEST_CASE("Router: a version has only digits", "[app][unit]") {
  CHECK(found("/models/m/versions/12") == "/models/{model}/versions/{version}|m|12");
  for (const auto* path : {"/models/m/versions/1a", "/models/m/versions/-1", "/models/m/versions/"}) {
    CAPTURE(path);
    CHECK(found(path).empty());
  }
}

TEST_CASE("Router: braces take one whole segment that is not empty", "[app][unit]") {
  CHECK(found("/models/yolo") == "/models/{model}|yolo");
  CHECK(found("/models/a b.c%/infer") == "/models/{model}/infer|a b.c%");
  CHECK(found("/models/yolo/versions/3") == "/models/{model}/versions/{version}|yolo|3");
  for (const auto* path :
       {"/models/", "/models//infer", "/models/yolo/", "/models/yolo/infer/", "/models/yolo/versions/", "/models"}) {
    CAPTURE(path);
    CHECK(found(path).empty());
  }
}

TEST_CASE("Router: a pattern with more braces than there is room for matches nothing", "[app][unit]") {
  CHECK(found("/1/2/3/4/5").empty());
}

TEST_CASE("Router: a route may make other exchanges for GET and HEAD than for POST", "[app][unit]") {
  int made = 0;
  int made_for_get = 0;
  Route route{"/x", "GET, HEAD, POST", Audience::kClients, access::Need::kNothing, [&made] {
                ++made;
                return nullptr;
              }};
  (void)route.make_exchange(verb::get);
  CHECK(made == 1);
  route.make_for_get = [&made_for_get] {
    ++made_for_get;
    return nullptr;
  };
  for (const verb method : {verb::get, verb::head, verb::post}) (void)route.make_exchange(method);
  CHECK(made == 2);
  CHECK(made_for_get == 2);
}

TEST_CASE("Router: a route allows only the methods that it lists in full", "[app][unit]") {
  const Route route{"/x", "GET, HEAD, DELETE", Audience::kClients, access::Need::kNothing, {}};
  CHECK(route.allows(verb::get));
  CHECK(route.allows(verb::head));
  CHECK(route.allows(verb::delete_));
  for (const verb method : {verb::post, verb::put, verb::options, verb::unknown, verb::patch}) {
    CHECK_FALSE(route.allows(method));
  }
}

}  // namespace
}  // namespace yolod::app::http
