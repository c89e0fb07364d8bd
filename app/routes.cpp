#include "app/routes.hpp"

#include <memory>

#include "app/api/native_exchange.hpp"
#include "app/api/page/page.hpp"
#include "app/api/predict/predict_handler.hpp"

namespace yolod::app {
namespace {

void write_live(http::Response& response) {
  http::write_json(response, boost::beast::http::status::ok, R"({"live":true})");
}

}  // namespace

std::vector<http::Route> make_routes(const RouteParts& parts) {
  const api::CallContext& calls = parts.calls;
  observe::Metrics& metrics = calls.metrics;

  // Makes an exchange that calls a model: the handler of the protocol, with its settings.
  const auto call = [&calls]<typename HandlerKind>(std::type_identity<HandlerKind>, auto... settings) {
    return [&calls, settings...] {
      return std::make_unique<api::CallExchange>(calls, std::make_unique<HandlerKind>(calls.models, settings...));
    };
  };
  const auto plain = [&metrics](api::PlainExchange::Write write) {
    return [&metrics, write] { return std::make_unique<api::PlainExchange>(metrics, write); };
  };
  constexpr std::type_identity<api::predict::PredictHandler> kPredict;

  // The probes need no credential, so that load balancers can use them. The page needs none either, because a browser
  // cannot send a key when it opens a page.
  using access::Need;
  return {
      {"/predict", "POST", http::Audience::kClients, Need::kPredict,
       call(kPredict, api::predict::PredictHandler::Kind::kPredictions)},
      {"/image", "PUT", http::Audience::kClients, Need::kPredict,
       call(kPredict, api::predict::PredictHandler::Kind::kImages)},
      {"/", "GET, HEAD", http::Audience::kClients, Need::kNothing, plain(api::page::write_page)},
      {"/healthz", "GET, HEAD", http::Audience::kEverybody, Need::kNothing, plain(write_live)},
      {"/readyz", "GET, HEAD", http::Audience::kEverybody, Need::kNothing,
       [&] { return std::make_unique<api::admin::ReadinessExchange>(metrics, parts.read_status); }},
      {"/status", "GET, HEAD", http::Audience::kObservers, Need::kObserve,
       [&] { return std::make_unique<api::admin::StatusExchange>(metrics, parts.read_status); }},
      {"/metrics", "GET, HEAD", http::Audience::kObservers, Need::kObserve,
       [&] { return std::make_unique<api::admin::MetricsExchange>(metrics, parts.refresh_metrics); }},
      {"/reload", "POST", http::Audience::kAdmins, Need::kAdmin,
       [&] { return std::make_unique<api::admin::ReloadExchange>(metrics, parts.ask_for_reload); }},
  };
}

}  // namespace yolod::app
