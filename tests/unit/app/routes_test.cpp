#include "app/routes.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/api/page/pages.hpp"
#include "app/http/exchange.hpp"
#include "tests/support/route_cases.hpp"

namespace yolod::app {
namespace {

using boost::beast::http::verb;

// The routes over parts that the tests of the table never call.
class NoModels final : public serving::Models {
 public:
  [[nodiscard]] std::shared_ptr<serving::ServedModel> find(std::string_view) const override { return nullptr; }
};

// Returns the routes of a server with this config.
std::vector<http::Route> routes_of(const common::Config& config) {
  static const NoModels kModels;
  static boost::asio::io_context io;
  static ipc::InputArena arena = ipc::InputArena::create(1U << 20U).value();
  static serving::BodyRoom body_room(io, arena);
  static observe::Metrics metrics;
  static const common::ServerConfig kConfig;
  static const common::OipConfig kOip;
  static api::oip::SharedRegions regions(kOip);
  static access::AuditLog audit;
  static std::vector<std::unique_ptr<const RouteParts>> parts;  // the routes refer to them
  parts.push_back(
      std::make_unique<RouteParts>(RouteParts{{kModels, body_room, metrics, kConfig, [] { return false; }},
                                              [] { return serving::ServerStatus(); },
                                              [] {},
                                              [](std::string_view, std::string_view, const auto&) {},
                                              config,
                                              audit,
                                              [](std::string_view, const auto&, const auto&, const auto&) {},
                                              [](std::string_view, const auto&, const auto&) {},
                                              regions}));
  return make_routes(*parts.back());
}

const std::vector<http::Route>& all_routes() {
  static const common::Config kAll;
  static const std::vector<http::Route> kRoutes = routes_of(kAll);
  return kRoutes;
}

const http::Route* find_route(std::string_view path) {
  static const http::Router kRouter(all_routes());
  http::Captures captures;
  return kRouter.find(path, captures);
}

TEST_CASE("Routes: each path has its route, which makes exchanges", "[app][unit]") {
  const std::string path = GENERATE("/predict", "/image", "/", "/healthz", "/readyz", "/status", "/metrics", "/reload");
  CAPTURE(path);
  const http::Route* const entry = find_route(path);
  REQUIRE(entry != nullptr);
  CHECK(entry->pattern == path);
  CHECK(entry->make() != nullptr);
}

// tests/process/access_test.cpp sends each case with good and bad keys.
TEST_CASE("Routes: the tests of access have a case for each route", "[app][access][unit]") {
  const auto& cases = tests::route_cases();
  for (const auto& route : all_routes()) {
    CAPTURE(route.pattern);
    const auto is_of_route = [&route](const auto& one) { return one.pattern == route.pattern; };
    REQUIRE(std::count_if(cases.begin(), cases.end(), is_of_route) == 1);
    const auto& one = *std::find_if(cases.begin(), cases.end(), is_of_route);
    CHECK(one.methods == route.methods);
    CHECK(one.audience == route.audience);
    CHECK(one.need == route.need);
    const http::Route* const found = find_route(one.target.substr(0, one.target.find('?')));
    REQUIRE(found != nullptr);
    CHECK(found->pattern == route.pattern);
  }
  CHECK(cases.size() == all_routes().size());
}

// tests/browser/openapi.mjs compares the answers of a server with the description.
TEST_CASE("Routes: the OpenAPI description has each route with its methods, and no other", "[app][unit]") {
  const std::string_view text = api::page::kOpenApi.content;
  const auto description = boost::json::parse({text.data(), text.size()});
  const auto& paths = description.at("paths").as_object();
  for (const auto& route : all_routes()) {
    CAPTURE(route.pattern);
    const auto* const path = paths.if_contains({route.pattern.data(), route.pattern.size()});
    REQUIRE(path != nullptr);
    for (const auto& [name, method] :
         {std::pair{"get", verb::get}, std::pair{"post", verb::post}, std::pair{"put", verb::put},
          std::pair{"patch", verb::patch}, std::pair{"delete", verb::delete_}}) {
      CAPTURE(name);
      CHECK(path->as_object().contains(name) == route.allows(method));
    }
  }
  CHECK(paths.size() == all_routes().size());
}

TEST_CASE("Routes: HEAD is allowed wherever GET is", "[app][unit]") {
  for (const auto& route : all_routes()) {
    CAPTURE(route.pattern);
    CHECK(route.allows(verb::head) == route.allows(verb::get));
    CHECK_FALSE(route.allows(verb::options));  // the connection answers OPTIONS for every route
  }
}

TEST_CASE("Routes: a protocol that is switched off has no routes, and the others stay", "[app][unit]") {
  struct Switch {
    bool& is_enabled;
    std::vector<std::string> beginnings;
  };
  static common::Config config;
  for (const auto& [is_enabled, beginnings] :
       {Switch{config.oip.enabled, {"/v2"}}, Switch{config.deepstack.enabled, {"/v1/"}},
        Switch{config.doods.enabled, {"/detect"}},
        Switch{config.roboflow.enabled, {"/model/", "/infer/", "/{project}"}}}) {
    CAPTURE(beginnings);
    const auto is_of_protocol = [&list = beginnings](const http::Route& route) {
      return std::any_of(list.begin(), list.end(),
                         [&route](const std::string& one) { return route.pattern.starts_with(one); });
    };
    const auto count = std::count_if(all_routes().begin(), all_routes().end(), is_of_protocol);
    CHECK(count > 0);
    is_enabled = false;
    const auto left = routes_of(config);
    is_enabled = true;
    CHECK(std::none_of(left.begin(), left.end(), is_of_protocol));
    CHECK(left.size() == all_routes().size() - static_cast<std::size_t>(count));
  }
}

TEST_CASE("Routes: an API key may be in the body or the query only where clients send it nowhere else",
          "[app][access][unit]") {
  std::vector<std::string_view> in_body;
  std::vector<std::string_view> in_query;
  for (const auto& route : all_routes()) {
    if (route.key_in_body) in_body.push_back(route.pattern);
    if (route.key_in_query) in_query.push_back(route.pattern);
  }
  CHECK(in_body == std::vector<std::string_view>{"/v1/vision/detection", "/v1/vision/custom",
                                                 "/v1/vision/custom/{model}", "/v1/vision/scene", "/v1/vision/enhance",
                                                 "/infer/object_detection"});
  CHECK(in_query ==
        std::vector<std::string_view>{"/model/registry", "/infer/object_detection", "/{project}/{version}"});
}

TEST_CASE("Routes: a listener serves only the routes for its clients", "[app][unit]") {
  const auto served = [](const char* path, net::ListenerRole role, bool admin_alone) {
    return find_route(path)->is_served_at(role, admin_alone);
  };
  for (const bool admin_alone : {false, true}) {
    CHECK(served("/predict", net::ListenerRole::kPublic, admin_alone));
    CHECK_FALSE(served("/predict", net::ListenerRole::kAdmin, admin_alone));
    CHECK_FALSE(served("/reload", net::ListenerRole::kPublic, admin_alone));
    CHECK(served("/reload", net::ListenerRole::kAdmin, admin_alone));
    for (const char* path : {"/status", "/metrics"}) {
      CHECK(served(path, net::ListenerRole::kPublic, admin_alone) == !admin_alone);
      CHECK(served(path, net::ListenerRole::kAdmin, admin_alone));
    }
    for (const char* path : {"/healthz", "/readyz"}) {
      CHECK(served(path, net::ListenerRole::kPublic, admin_alone));
      CHECK(served(path, net::ListenerRole::kAdmin, admin_alone));
    }
  }
}

TEST_CASE("Routes: each path of the Open Inference Protocol has its route", "[app][unit]") {
  struct Path {
    const char* path;
    const char* pattern;
    const char* methods;
  };
  const auto [path, pattern, methods] =
      GENERATE(Path{"/v2", "/v2", "GET, HEAD"}, Path{"/v2/health/live", "/v2/health/live", "GET, HEAD"},
               Path{"/v2/health/ready", "/v2/health/ready", "GET, HEAD"}, Path{"/v2/models", "/v2/models", "GET, HEAD"},
               Path{"/v2/models/stats", "/v2/models/stats", "GET, HEAD"},
               Path{"/v2/models/m", "/v2/models/{model}", "GET, HEAD"},
               Path{"/v2/models/m/versions/1", "/v2/models/{model}/versions/{version}", "GET, HEAD"},
               Path{"/v2/models/m/ready", "/v2/models/{model}/ready", "GET, HEAD"},
               Path{"/v2/models/m/versions/1/config", "/v2/models/{model}/versions/{version}/config", "GET, HEAD"},
               Path{"/v2/repository/index", "/v2/repository/index", "POST"},
               Path{"/v2/repository/models/m/load", "/v2/repository/models/{model}/load", "POST"},
               Path{"/v2/repository/models/m/unload", "/v2/repository/models/{model}/unload", "POST"});
  CAPTURE(path);
  const http::Route* const entry = find_route(path);
  REQUIRE(entry != nullptr);
  CHECK(entry->pattern == pattern);
  CHECK(entry->methods == methods);
  CHECK(entry->make() != nullptr);
  // load and unload need a key with that scope at a public address.
  CHECK(entry->is_served_at(net::ListenerRole::kPublic, false));
  const bool is_load = std::string_view(path).ends_with("load");
  CHECK((entry->need == access::Need::kLoad) == is_load);
}

TEST_CASE("Routes: a request without a route is refused in the format of its protocol", "[app][unit]") {
  http::Response response;
  const common::Error error{common::ErrorCode::kNotFound, "there is no such path"};
  write_refusal(error, GENERATE("/v2/nothing", "/v2"), response);
  CHECK(response.body.view() == R"({"error":"Not Found"})");
  write_refusal(error, GENERATE("", "/v2x", "/predict/x"), response);
  CHECK(response.body.view().starts_with(R"({"success":false,)"));
}

TEST_CASE("Routes: any other path has no route", "[app][unit]") {
  const std::string path =
      GENERATE("", "predict", "/predict/", "/Predict", "//", "/predic", "/predictx", "/healthz/x", "/../predict", "*");
  CAPTURE(path);
  CHECK(find_route(path) == nullptr);
}

TEST_CASE("Routes: predict and reload accept only POST", "[app][unit]") {
  const http::Route* const entry = find_route(GENERATE("/predict", "/reload"));
  REQUIRE(entry != nullptr);
  CHECK(entry->methods == "POST");
  CHECK(entry->allows(verb::post));
  for (const verb method :
       {verb::get, verb::head, verb::put, verb::delete_, verb::options, verb::patch, verb::unknown}) {
    CHECK_FALSE(entry->allows(method));
  }
}

TEST_CASE("Routes: image accepts only PUT", "[app][unit]") {
  const http::Route* const entry = find_route("/image");
  REQUIRE(entry != nullptr);
  CHECK(entry->methods == "PUT");
  CHECK(entry->allows(verb::put));
  for (const verb method : {verb::get, verb::head, verb::post, verb::delete_, verb::patch, verb::unknown}) {
    CHECK_FALSE(entry->allows(method));
  }
}

TEST_CASE("Routes: every other path accepts GET and HEAD, and its error lists them", "[app][unit]") {
  const std::string path = GENERATE("/", "/healthz", "/readyz", "/status", "/metrics");
  CAPTURE(path);
  const http::Route* const entry = find_route(path);
  REQUIRE(entry != nullptr);
  CHECK(entry->methods == "GET, HEAD");
  CHECK(entry->allows(verb::get));
  CHECK(entry->allows(verb::head));
  for (const verb method : {verb::post, verb::put, verb::delete_, verb::options, verb::trace, verb::unknown}) {
    CHECK_FALSE(entry->allows(method));
  }
}

// A new route that takes a POST, PUT or DELETE must be in one of these lists.
TEST_CASE("Routes: a page of another site sends no request that changes something", "[app][unit]") {
  const auto begins = [](std::string_view pattern, std::initializer_list<std::string_view> beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [pattern](std::string_view beginning) { return pattern.starts_with(beginning); });
  };
  for (const auto& route : all_routes()) {
    CAPTURE(route.pattern);
    const bool only_reads = !route.allows(verb::post) && !route.allows(verb::put) && !route.allows(verb::delete_);
    // Requests to these routes change nothing that stays.
    const bool computes = route.pattern.ends_with("/infer") ||
                          begins(route.pattern, {"/predict", "/image", "/v1/", "/v2/logging", "/v2/trace/setting", "/v2/repository/index",
                                                 "/detect", "/infer/", "/{project}"});
    const bool has_own_check = begins(route.pattern, {"/api/"});
    CHECK((route.effect == http::Effect::kChanges) == !(only_reads || computes || has_own_check));
  }
}

}  // namespace
}  // namespace yolod::app
