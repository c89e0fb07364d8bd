// Tests a request's target and its parameters.
#include "app/http/request_target.hpp"

#include "app/api/predict/parameters.hpp"
#include "app/http/router.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using namespace yolod;

YOLOD_FUZZ_TARGET(target) {
  static app::http::RequestTarget target;
  if (!target.parse(fuzz::as_text(data, size))) return 0;
  fuzz::require(!target.path().empty() && target.path().front() == '/');
  fuzz::require(target.path().find('\0') == std::string_view::npos);
  static const app::http::Router router(
      {{"/predict", "POST", app::http::Audience::kClients, app::access::Need::kNothing, {}},
       {"/v2/models/{model}/infer", "POST", app::http::Audience::kClients, app::access::Need::kNothing, {}},
       {"/{}/{}/{}/{}/{}", "GET", app::http::Audience::kClients, app::access::Need::kNothing, {}}});
  app::http::Captures captures;
  if (router.find(target.path(), captures) != nullptr) {
    for (const auto capture : captures) {
      fuzz::require(!capture.empty() && capture.find('/') == std::string_view::npos);
      fuzz::require(capture.data() >= target.path().data() &&
                    capture.data() + capture.size() <= target.path().data() + target.path().size());
    }
  }
  const auto parameters = app::api::predict::parse_predict_parameters(target);
  if (!parameters) fuzz::require_one_line(parameters.error(), common::ErrorCode::kInvalidParameter);
  return 0;
}
