#include "app/routes.hpp"

#include <memory>

#include "app/api/native_exchange.hpp"
#include "app/api/page/page.hpp"
#include "app/api/predict/predict_handler.hpp"

namespace yolod::app {
namespace {

void write_live(Response& response) { write_json(response, boost::beast::http::status::ok, R"({"live":true})"); }

}  // namespace

std::vector<Route> make_routes(const RouteParts& parts) {
  const CallContext& calls = parts.calls;
  Metrics& metrics = calls.metrics;

  // An exchange that asks a model: the protocol's handler, with what it takes beside the models.
  const auto call = [&calls]<typename HandlerKind>(std::type_identity<HandlerKind>, auto... settings) {
    return [&calls, settings...] {
      return std::make_unique<CallExchange>(calls, std::make_unique<HandlerKind>(calls.models, settings...));
    };
  };
  const auto plain = [&metrics](PlainExchange::Write write) {
    return [&metrics, write] { return std::make_unique<PlainExchange>(metrics, write); };
  };
  constexpr std::type_identity<PredictHandler> kPredict;

  return {
      {"/predict", "POST", Audience::kClients, call(kPredict, PredictHandler::Kind::kPredictions)},
      {"/image", "PUT", Audience::kClients, call(kPredict, PredictHandler::Kind::kImages)},
      {"/", "GET, HEAD", Audience::kClients, plain(write_page)},
      {"/healthz", "GET, HEAD", Audience::kEverybody, plain(write_live)},
      {"/readyz", "GET, HEAD", Audience::kEverybody,
       [&] { return std::make_unique<ReadinessExchange>(metrics, parts.read_status); }},
      {"/status", "GET, HEAD", Audience::kObservers,
       [&] { return std::make_unique<StatusExchange>(metrics, parts.read_status); }},
      {"/metrics", "GET, HEAD", Audience::kObservers,
       [&] { return std::make_unique<MetricsExchange>(metrics, parts.refresh_metrics); }},
      {"/reload", "POST", Audience::kAdmins,
       [&] { return std::make_unique<ReloadExchange>(metrics, parts.ask_for_reload); }},
  };
}

}  // namespace yolod::app
