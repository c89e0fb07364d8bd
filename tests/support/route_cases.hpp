// This table has a request for each route of app/routes.cpp. A unit test fails if a route is missing here
// (tests/unit/app/routes_test.cpp). A process test sends each request with good and bad keys
// (tests/process/access_test.cpp).
#pragma once

#include <array>
#include <string_view>

#include "app/http/router.hpp"

namespace yolod::tests {

struct RouteCase {
  std::string_view pattern;
  std::string_view methods;
  app::http::Audience audience;
  app::access::Need need;
  std::string_view target;  // a path that the pattern matches, with the model "echo" in its generation 2
  std::string_view body;    // of a request whose method has one
  // The status of the answer to a request with a right key. The identity model is neither a classifier nor a network
  // that makes pictures, and no public listener serves a route for admins.
  int status;
  int status_of_get{0};  // of GET and HEAD, if it differs

  [[nodiscard]] int status_of(std::string_view method) const {
    return status_of_get != 0 && (method == "GET" || method == "HEAD") ? status_of_get : status;
  }
};

// The body of an inference that the identity model can answer.
inline constexpr std::string_view kOipBody =
    R"({"inputs":[{"name":"image","shape":[1,1],"datatype":"BYTES","data":["abc"]}]})";

inline const auto& route_cases() {
  using app::access::Need;
  using app::http::Audience;
  static constexpr std::array kCases{
      RouteCase{"/predict", "POST", Audience::kClients, Need::kPredict, "/predict?model=echo", "abc", 200},
      RouteCase{"/image", "PUT", Audience::kClients, Need::kPredict, "/image?model=echo", "abc", 400},
      RouteCase{"/stream", "GET, HEAD", Audience::kClients, Need::kPredict, "/stream?model=echo", "", 426},
      RouteCase{"/", "GET, HEAD", Audience::kClients, Need::kNothing, "/", "", 200},
      RouteCase{"/openapi.json", "GET, HEAD", Audience::kClients, Need::kNothing, "/openapi.json", "", 200},
      RouteCase{"/healthz", "GET, HEAD", Audience::kEverybody, Need::kNothing, "/healthz", "", 200},
      RouteCase{"/readyz", "GET, HEAD", Audience::kEverybody, Need::kNothing, "/readyz", "", 200},
      RouteCase{"/status", "GET, HEAD", Audience::kObservers, Need::kObserve, "/status", "", 200},
      RouteCase{"/metrics", "GET, HEAD", Audience::kObservers, Need::kObserve, "/metrics", "", 200},
      RouteCase{"/reload", "POST", Audience::kAdmins, Need::kAdmin, "/reload", "", 403},
      // The server of the test has no accounts, so it answers these paths with 404.
      RouteCase{"/api/register", "POST", Audience::kClients, Need::kAnyone, "/api/register", "", 404},
      RouteCase{"/api/login", "POST", Audience::kClients, Need::kAnyone, "/api/login", "", 404},
      RouteCase{"/api/logout", "POST", Audience::kClients, Need::kIdentity, "/api/logout", "", 404},
      RouteCase{"/api/password", "POST", Audience::kClients, Need::kIdentity, "/api/password", "", 404},
      RouteCase{"/api/me", "GET, HEAD, DELETE", Audience::kClients, Need::kIdentity, "/api/me", "", 404},
      RouteCase{"/api/keys", "GET, HEAD, POST", Audience::kPeople, Need::kIdentity, "/api/keys", "", 404},
      RouteCase{"/api/keys/{id}", "DELETE", Audience::kPeople, Need::kIdentity, "/api/keys/999", "", 404},
      RouteCase{"/api/users", "GET, HEAD, POST", Audience::kObservers, Need::kAdmin, "/api/users", "", 404},
      RouteCase{"/api/users/{name}", "PATCH, DELETE", Audience::kObservers, Need::kAdmin, "/api/users/anna", "", 404},
      RouteCase{"/api/users/{name}/password", "POST", Audience::kObservers, Need::kAdmin, "/api/users/anna/password",
                "", 404},
      RouteCase{"/api/invites", "POST", Audience::kObservers, Need::kAdmin, "/api/invites", "", 404},
      RouteCase{"/login", "GET, HEAD", Audience::kClients, Need::kNothing, "/login", "", 200},
      RouteCase{"/account", "GET, HEAD", Audience::kClients, Need::kNothing, "/account", "", 200},
      RouteCase{"/admin", "GET, HEAD", Audience::kClients, Need::kNothing, "/admin", "", 200},
      RouteCase{"/pages/people.css", "GET, HEAD", Audience::kClients, Need::kNothing, "/pages/people.css", "", 200},
      RouteCase{"/pages/people.js", "GET, HEAD", Audience::kClients, Need::kNothing, "/pages/people.js", "", 200},
      RouteCase{"/v2", "GET, HEAD", Audience::kClients, Need::kModels, "/v2", "", 200},
      RouteCase{"/v2/health/live", "GET, HEAD", Audience::kEverybody, Need::kNothing, "/v2/health/live", "", 200},
      RouteCase{"/v2/health/ready", "GET, HEAD", Audience::kEverybody, Need::kNothing, "/v2/health/ready", "", 200},
      RouteCase{"/v2/logging", "GET, HEAD, POST", Audience::kClients, Need::kModels, "/v2/logging", "", 200},
      RouteCase{"/v2/trace/setting", "GET, HEAD, POST", Audience::kClients, Need::kModels, "/v2/trace/setting", "",
                200},
      RouteCase{"/v2/models", "GET, HEAD", Audience::kClients, Need::kModels, "/v2/models", "", 200},
      RouteCase{"/v2/models/stats", "GET, HEAD", Audience::kClients, Need::kModels, "/v2/models/stats", "", 200},
      RouteCase{"/v2/models/{model}", "GET, HEAD", Audience::kClients, Need::kModels, "/v2/models/echo", "", 200},
      RouteCase{"/v2/models/{model}/versions/{version}", "GET, HEAD", Audience::kClients, Need::kModels,
                "/v2/models/echo/versions/2", "", 200},
      RouteCase{"/v2/models/{model}/config", "GET, HEAD", Audience::kClients, Need::kModels, "/v2/models/echo/config",
                "", 200},
      RouteCase{"/v2/models/{model}/versions/{version}/config", "GET, HEAD", Audience::kClients, Need::kModels,
                "/v2/models/echo/versions/2/config", "", 200},
      RouteCase{"/v2/models/{model}/ready", "GET, HEAD", Audience::kClients, Need::kModels, "/v2/models/echo/ready", "",
                200},
      RouteCase{"/v2/models/{model}/versions/{version}/ready", "GET, HEAD", Audience::kClients, Need::kModels,
                "/v2/models/echo/versions/2/ready", "", 200},
      RouteCase{"/v2/models/{model}/stats", "GET, HEAD", Audience::kClients, Need::kModels, "/v2/models/echo/stats", "",
                200},
      RouteCase{"/v2/models/{model}/versions/{version}/stats", "GET, HEAD", Audience::kClients, Need::kModels,
                "/v2/models/echo/versions/2/stats", "", 200},
      RouteCase{"/v2/models/{model}/infer", "POST", Audience::kClients, Need::kPredict, "/v2/models/echo/infer",
                kOipBody, 200},
      RouteCase{"/v2/models/{model}/versions/{version}/infer", "POST", Audience::kClients, Need::kPredict,
                "/v2/models/echo/versions/2/infer", kOipBody, 200},
      RouteCase{"/v2/repository/index", "POST", Audience::kClients, Need::kModels, "/v2/repository/index", "{}", 200},
      RouteCase{"/v2/repository/models/{model}/load", "POST", Audience::kPeople, Need::kLoad,
                "/v2/repository/models/unknown/load", "", 500},
      RouteCase{"/v2/repository/models/{model}/unload", "POST", Audience::kPeople, Need::kLoad,
                "/v2/repository/models/unknown/unload", "", 500},
      // Without oip.shared_memory these paths are 404.
      RouteCase{"/v2/systemsharedmemory/status", "GET, HEAD", Audience::kClients, Need::kPredict,
                "/v2/systemsharedmemory/status", "", 404},
      RouteCase{"/v2/systemsharedmemory/unregister", "POST", Audience::kClients, Need::kPredict,
                "/v2/systemsharedmemory/unregister", "{}", 404},
      RouteCase{"/v2/systemsharedmemory/region/{region}/status", "GET, HEAD", Audience::kClients, Need::kPredict,
                "/v2/systemsharedmemory/region/r/status", "", 404},
      RouteCase{"/v2/systemsharedmemory/region/{region}/register", "POST", Audience::kClients, Need::kPredict,
                "/v2/systemsharedmemory/region/r/register", "{}", 404},
      RouteCase{"/v2/systemsharedmemory/region/{region}/unregister", "POST", Audience::kClients, Need::kPredict,
                "/v2/systemsharedmemory/region/r/unregister", "{}", 404},
      RouteCase{"/v2/cudasharedmemory/status", "GET, HEAD", Audience::kClients, Need::kPredict,
                "/v2/cudasharedmemory/status", "", 404},
      RouteCase{"/v2/cudasharedmemory/unregister", "POST", Audience::kClients, Need::kPredict,
                "/v2/cudasharedmemory/unregister", "{}", 404},
      RouteCase{"/v2/cudasharedmemory/region/{region}/status", "GET, HEAD", Audience::kClients, Need::kPredict,
                "/v2/cudasharedmemory/region/r/status", "", 404},
      RouteCase{"/v2/cudasharedmemory/region/{region}/register", "POST", Audience::kClients, Need::kPredict,
                "/v2/cudasharedmemory/region/r/register", "{}", 404},
      RouteCase{"/v2/cudasharedmemory/region/{region}/unregister", "POST", Audience::kClients, Need::kPredict,
                "/v2/cudasharedmemory/region/r/unregister", "{}", 404},
      RouteCase{"/v1/vision/detection", "POST", Audience::kClients, Need::kPredict, "/v1/vision/detection", "abc", 400},
      RouteCase{"/v1/vision/custom", "POST", Audience::kClients, Need::kPredict, "/v1/vision/custom", "abc", 400},
      RouteCase{"/v1/vision/custom/list", "GET, HEAD, POST", Audience::kClients, Need::kModels,
                "/v1/vision/custom/list", "", 200},
      RouteCase{"/v1/vision/custom/{model}", "POST", Audience::kClients, Need::kPredict, "/v1/vision/custom/echo",
                "abc", 400},
      RouteCase{"/v1/vision/scene", "POST", Audience::kClients, Need::kPredict, "/v1/vision/scene", "abc", 403},
      RouteCase{"/v1/vision/enhance", "POST", Audience::kClients, Need::kPredict, "/v1/vision/enhance", "abc", 403},
      RouteCase{"/v1/status/ping", "GET, HEAD", Audience::kClients, Need::kModels, "/v1/status/ping", "", 200},
      RouteCase{"/v1/status/version", "GET, HEAD", Audience::kClients, Need::kModels, "/v1/status/version", "", 200},
      RouteCase{"/v1/status/updateavailable", "GET, HEAD", Audience::kClients, Need::kModels,
                "/v1/status/updateavailable", "", 200},
      RouteCase{"/v1/server/status/ping", "GET, HEAD", Audience::kClients, Need::kModels, "/v1/server/status/ping", "",
                200},
      RouteCase{"/v1/server/status/version", "GET, HEAD", Audience::kClients, Need::kModels,
                "/v1/server/status/version", "", 200},
      RouteCase{"/v1/server/status/updateavailable", "GET, HEAD", Audience::kClients, Need::kModels,
                "/v1/server/status/updateavailable", "", 200},

      RouteCase{"/detectors", "GET, HEAD", Audience::kClients, Need::kModels, "/detectors", "", 200},
      RouteCase{"/detect", "GET, HEAD, POST", Audience::kClients, Need::kPredict, "/detect", R"({"data":"aGVsbG8="})",
                200, 426},

      RouteCase{"/model/registry", "GET, HEAD", Audience::kClients, Need::kModels, "/model/registry", "", 200},
      RouteCase{"/infer/object_detection", "POST", Audience::kClients, Need::kPredict, "/infer/object_detection",
                R"({"model_id":"echo/1","image":{"type":"base64","value":"aGVsbG8="}})", 200},
      RouteCase{"/{project}/{version}", "POST", Audience::kClients, Need::kPredict, "/echo/1", "aGVsbG8=", 200},
  };
  return kCases;
}

}  // namespace yolod::tests
