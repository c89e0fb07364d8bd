#include "app/routes.hpp"

#include <functional>
#include <memory>

#include "app/api/account/actions.hpp"
#include "app/api/deepstack/status_exchange.hpp"
#include "app/api/deepstack/status_json.hpp"
#include "app/api/deepstack/vision_handler.hpp"
#include "app/api/doods/detect_conversation.hpp"
#include "app/api/doods/detect_handler.hpp"
#include "app/api/doods/detectors_exchange.hpp"
#include "app/api/native_exchange.hpp"
#include "app/api/oip/infer_handler.hpp"
#include "app/api/oip/model_json.hpp"
#include "app/api/oip/server_json.hpp"
#include "app/api/oip/settings_exchange.hpp"
#include "app/api/oip/shared_memory_exchange.hpp"
#include "app/api/page/pages.hpp"
#include "app/api/predict/predict_handler.hpp"
#include "app/api/roboflow/inference_handler.hpp"
#include "app/api/roboflow/registry_exchange.hpp"
#include "app/api/stream/stream_exchange.hpp"

namespace yolod::app {
namespace {

void write_live(http::Response& response) {
  http::write_json(response, boost::beast::http::status::ok, R"({"live":true})");
}

// Adds the routes of DeepStack and CodeProject.AI.
void add_deepstack_routes(const RouteParts& parts, std::vector<http::Route>& routes) {
  using access::Need;
  using api::deepstack::VisionHandler;
  using Kind = VisionHandler::Kind;
  const api::CallContext& calls = parts.calls;
  const auto vision = [&](Kind kind) {
    return [&parts, &calls, kind] {
      return std::make_unique<api::CallExchange>(
          calls, std::make_unique<VisionHandler>(calls.models, parts.config.deepstack, kind));
    };
  };
  using Errors = api::deepstack::DeepStackErrorWriter;
  const auto fixed = [&](api::FixedExchange<Errors>::Write write) {
    return [&parts, write] {
      return std::make_unique<api::FixedExchange<Errors>>(parts.calls.metrics, write, Errors{parts.config.deepstack});
    };
  };
  const auto list = [&parts] {
    return std::make_unique<api::deepstack::ListExchange>(parts.calls.metrics, parts.config.deepstack,
                                                          parts.read_status, parts.calls.models);
  };
  const auto ping = fixed(api::deepstack::write_ping);
  const auto update = fixed(api::deepstack::write_update);
  // "list" comes before the models, so no model of that name has a path here. The forms have the field api_key.
  const std::initializer_list<http::Route> added{
      {"/v1/vision/detection", "POST", http::Audience::kClients, Need::kPredict, vision(Kind::kDetection),
       http::Effect::kNone, true},
      {"/v1/vision/custom", "POST", http::Audience::kClients, Need::kPredict, vision(Kind::kDetection),
       http::Effect::kNone, true},
      {"/v1/vision/custom/list", "GET, HEAD, POST", http::Audience::kClients, Need::kModels, list},
      {"/v1/vision/custom/{model}", "POST", http::Audience::kClients, Need::kPredict, vision(Kind::kDetection),
       http::Effect::kNone, true},
      {"/v1/vision/scene", "POST", http::Audience::kClients, Need::kPredict, vision(Kind::kScene), http::Effect::kNone,
       true},
      {"/v1/vision/enhance", "POST", http::Audience::kClients, Need::kPredict, vision(Kind::kEnhance),
       http::Effect::kNone, true},
      {"/v1/status/ping", "GET, HEAD", http::Audience::kClients, Need::kModels, ping},
      {"/v1/status/version", "GET, HEAD", http::Audience::kClients, Need::kModels, ping},
      {"/v1/status/updateavailable", "GET, HEAD", http::Audience::kClients, Need::kModels, update},
      {"/v1/server/status/ping", "GET, HEAD", http::Audience::kClients, Need::kModels, ping},
      {"/v1/server/status/version", "GET, HEAD", http::Audience::kClients, Need::kModels, ping},
      {"/v1/server/status/updateavailable", "GET, HEAD", http::Audience::kClients, Need::kModels, update},
  };
  routes.insert(routes.end(), added);
}

// Adds the routes of the Open Inference Protocol.
void add_oip_routes(const RouteParts& parts, std::vector<http::Route>& routes) {
  using access::Need;
  const api::CallContext& calls = parts.calls;
  observe::Metrics& metrics = calls.metrics;
  const auto infer = [&parts, &calls] {
    return std::make_unique<api::CallExchange>(
        calls, std::make_unique<api::oip::InferHandler>(calls.models, calls.config, &parts.shared_regions));
  };
  const auto oip_fixed = [&metrics](api::FixedExchange<api::oip::OipErrors>::Write write) {
    return [&metrics, write] { return std::make_unique<api::FixedExchange<api::oip::OipErrors>>(metrics, write); };
  };
  const auto oip_all = [&metrics, &parts](api::oip::AllModelsExchange::Write write) {
    return [&metrics, &parts, write] {
      return std::make_unique<api::oip::AllModelsExchange>(metrics, parts.read_status, write);
    };
  };
  const auto oip_model = [&metrics, &calls](api::oip::OneModelExchange::Write write,
                                            api::oip::OneModelExchange::Unknown unknown = api::oip::unknown_model) {
    return [&metrics, &calls, write, unknown] {
      return std::make_unique<api::oip::OneModelExchange>(metrics, calls.models, write, unknown);
    };
  };
  const auto settings = [&metrics](api::oip::SettingsExchange::Kind kind) {
    return [&metrics, kind] { return std::make_unique<api::oip::SettingsExchange>(metrics, kind); };
  };

  // "stats" comes before the models, so no model of that name has metadata.
  const std::initializer_list<http::Route> added{
      {"/v2", "GET, HEAD", http::Audience::kClients, Need::kModels,
       [&] {
         const bool has_regions = parts.shared_regions.is_on();
         return std::make_unique<api::FixedExchange<api::oip::OipErrors>>(
             metrics, has_regions ? api::oip::write_server_with_shared_memory : api::oip::write_server);
       }},
      {"/v2/health/live", "GET, HEAD", http::Audience::kEverybody, Need::kNothing, oip_fixed(api::oip::write_live)},
      {"/v2/health/ready", "GET, HEAD", http::Audience::kEverybody, Need::kNothing, oip_all(api::oip::write_ready)},
      {"/v2/logging", "GET, HEAD, POST", http::Audience::kClients, Need::kModels,
       settings(api::oip::SettingsExchange::Kind::kLog)},
      {"/v2/trace/setting", "GET, HEAD, POST", http::Audience::kClients, Need::kModels,
       settings(api::oip::SettingsExchange::Kind::kTrace)},
      {"/v2/models", "GET, HEAD", http::Audience::kClients, Need::kModels, oip_all(api::oip::write_models)},
      {"/v2/models/stats", "GET, HEAD", http::Audience::kClients, Need::kModels,
       oip_all(api::oip::write_all_statistics)},
      {"/v2/models/{model}", "GET, HEAD", http::Audience::kClients, Need::kModels, oip_model(api::oip::write_metadata)},
      {"/v2/models/{model}/versions/{version}", "GET, HEAD", http::Audience::kClients, Need::kModels,
       oip_model(api::oip::write_metadata)},
      {"/v2/models/{model}/config", "GET, HEAD", http::Audience::kClients, Need::kModels,
       oip_model(api::oip::write_config)},
      {"/v2/models/{model}/versions/{version}/config", "GET, HEAD", http::Audience::kClients, Need::kModels,
       oip_model(api::oip::write_config)},
      {"/v2/models/{model}/ready", "GET, HEAD", http::Audience::kClients, Need::kModels,
       oip_model(api::oip::write_model_ready)},
      {"/v2/models/{model}/versions/{version}/ready", "GET, HEAD", http::Audience::kClients, Need::kModels,
       oip_model(api::oip::write_model_ready)},
      {"/v2/models/{model}/stats", "GET, HEAD", http::Audience::kClients, Need::kModels,
       oip_model(api::oip::write_statistics, api::oip::no_statistics)},
      {"/v2/models/{model}/versions/{version}/stats", "GET, HEAD", http::Audience::kClients, Need::kModels,
       oip_model(api::oip::write_statistics, api::oip::no_statistics)},
      {"/v2/models/{model}/infer", "POST", http::Audience::kClients, Need::kPredict, infer},
      {"/v2/models/{model}/versions/{version}/infer", "POST", http::Audience::kClients, Need::kPredict, infer},
      {"/v2/repository/index", "POST", http::Audience::kClients, Need::kModels,
       [&] { return std::make_unique<api::oip::IndexExchange>(metrics, parts.read_status); }},
      {"/v2/repository/models/{model}/load", "POST", http::Audience::kPeople, Need::kLoad,
       [&] { return std::make_unique<api::oip::LoadExchange>(metrics, parts.ask_for_load); }, http::Effect::kChanges},
      {"/v2/repository/models/{model}/unload", "POST", http::Audience::kPeople, Need::kLoad,
       [&] { return std::make_unique<api::oip::UnloadExchange>(metrics, parts.ask_for_unload); },
       http::Effect::kChanges},
  };
  routes.insert(routes.end(), added);
}

// Adds the routes of clients that send tensors in shared memory.
void add_shared_memory_routes(const RouteParts& parts, std::vector<http::Route>& routes) {
  using access::Need;
  using api::oip::SharedMemoryExchange;
  using Action = SharedMemoryExchange::Action;
  using Memory = SharedMemoryExchange::Memory;
  constexpr auto kChanges = http::Effect::kChanges;
  const auto shared = [&parts](Memory memory, Action action) {
    return [&parts, memory, action] {
      return std::make_unique<SharedMemoryExchange>(parts.calls.metrics, parts.shared_regions, memory, action);
    };
  };
  const std::initializer_list<http::Route> added{
      {"/v2/systemsharedmemory/status", "GET, HEAD", http::Audience::kClients, Need::kPredict,
       shared(Memory::kSystem, Action::kStatus)},
      {"/v2/systemsharedmemory/unregister", "POST", http::Audience::kClients, Need::kPredict,
       shared(Memory::kSystem, Action::kUnregister), kChanges},
      {"/v2/systemsharedmemory/region/{region}/status", "GET, HEAD", http::Audience::kClients, Need::kPredict,
       shared(Memory::kSystem, Action::kStatus)},
      {"/v2/systemsharedmemory/region/{region}/register", "POST", http::Audience::kClients, Need::kPredict,
       shared(Memory::kSystem, Action::kRegister), kChanges},
      {"/v2/systemsharedmemory/region/{region}/unregister", "POST", http::Audience::kClients, Need::kPredict,
       shared(Memory::kSystem, Action::kUnregister), kChanges},
      {"/v2/cudasharedmemory/status", "GET, HEAD", http::Audience::kClients, Need::kPredict,
       shared(Memory::kCuda, Action::kStatus)},
      {"/v2/cudasharedmemory/unregister", "POST", http::Audience::kClients, Need::kPredict,
       shared(Memory::kCuda, Action::kUnregister), kChanges},
      {"/v2/cudasharedmemory/region/{region}/status", "GET, HEAD", http::Audience::kClients, Need::kPredict,
       shared(Memory::kCuda, Action::kStatus)},
      {"/v2/cudasharedmemory/region/{region}/register", "POST", http::Audience::kClients, Need::kPredict,
       shared(Memory::kCuda, Action::kRegister), kChanges},
      {"/v2/cudasharedmemory/region/{region}/unregister", "POST", http::Audience::kClients, Need::kPredict,
       shared(Memory::kCuda, Action::kUnregister), kChanges},
  };
  routes.insert(routes.end(), added);
}

// Adds the routes of DOODS.
void add_doods_routes(const RouteParts& parts, std::vector<http::Route>& routes) {
  using access::Need;
  const api::CallContext& calls = parts.calls;
  const auto detect = [&parts, &calls] {
    return std::make_unique<api::CallExchange>(
        calls, std::make_unique<api::doods::DetectHandler>(calls.models, parts.config.doods));
  };
  const auto upgrade = [&parts, &calls] {
    return std::make_unique<api::doods::DetectUpgrade>(calls, parts.config.doods);
  };
  const auto detectors = [&parts, &calls] {
    return std::make_unique<api::doods::DetectorsExchange>(calls.metrics, parts.config.doods, parts.read_status,
                                                           calls.models);
  };
  routes.push_back({"/detectors", "GET, HEAD", http::Audience::kClients, Need::kModels, detectors});
  constexpr bool kKeyElsewhere = false;
  routes.push_back({"/detect", "GET, HEAD, POST", http::Audience::kClients, Need::kPredict, detect, http::Effect::kNone,
                    kKeyElsewhere, kKeyElsewhere, upgrade});
}

// Adds the routes of Roboflow's inference server. Its clients send the API key in the query or in JSON.
void add_roboflow_routes(const RouteParts& parts, std::vector<http::Route>& routes) {
  using access::Need;
  using api::roboflow::InferenceHandler;
  const api::CallContext& calls = parts.calls;
  const auto infer = [&parts, &calls](InferenceHandler::Kind kind) {
    return [&parts, &calls, kind] {
      return std::make_unique<api::CallExchange>(
          calls, std::make_unique<InferenceHandler>(calls.models, parts.config.roboflow, kind));
    };
  };
  const auto registry = [&parts, &calls] {
    return std::make_unique<api::roboflow::RegistryExchange>(calls.metrics, parts.config.roboflow, parts.read_status,
                                                             calls.models);
  };
  constexpr bool kKeyInBody = true;
  constexpr bool kKeyInQuery = true;
  routes.push_back({"/model/registry", "GET, HEAD", http::Audience::kClients, Need::kModels, registry,
                    http::Effect::kNone, !kKeyInBody, kKeyInQuery});
  routes.push_back({"/infer/object_detection", "POST", http::Audience::kClients, Need::kPredict,
                    infer(InferenceHandler::Kind::kJson), http::Effect::kNone, kKeyInBody, kKeyInQuery});
  routes.push_back({"/{project}/{version}", "POST", http::Audience::kClients, Need::kPredict,
                    infer(InferenceHandler::Kind::kPath), http::Effect::kNone, !kKeyInBody, kKeyInQuery});
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
  const auto plain = [&metrics](api::FixedExchange<api::NativeErrors>::Write write) {
    return [&metrics, write] { return std::make_unique<api::FixedExchange<api::NativeErrors>>(metrics, write); };
  };
  const auto file = [&metrics](const api::page::EmbeddedFile& embedded) {
    return [&metrics, &embedded] { return std::make_unique<api::page::FileExchange>(metrics, embedded); };
  };
  constexpr std::type_identity<api::predict::PredictHandler> kPredict;

  const auto account = [&metrics, &parts](std::span<const api::account::Action> actions) {
    return [&metrics, &parts, actions] {
      return std::make_unique<api::account::AccountExchange>(metrics, parts.accounts, parts.audit, actions);
    };
  };

  // The probes need no credential, so that load balancers can use them. The page needs none either, because a browser
  // cannot send a key when it opens a page.
  using access::Need;
  std::vector<http::Route> routes{
      {"/predict", "POST", http::Audience::kClients, Need::kPredict,
       call(kPredict, api::predict::PredictHandler::Kind::kPredictions)},
      {"/image", "PUT", http::Audience::kClients, Need::kPredict,
       call(kPredict, api::predict::PredictHandler::Kind::kImages)},
      {"/stream", "GET, HEAD", http::Audience::kClients, Need::kPredict,
       [&] { return std::make_unique<api::stream::StreamExchange>(calls, parts.stream_turns); }},
      {"/", "GET, HEAD", http::Audience::kClients, Need::kNothing, file(api::page::kPage)},
      {"/openapi.json", "GET, HEAD", http::Audience::kClients, Need::kNothing, file(api::page::kOpenApi)},
      {"/healthz", "GET, HEAD", http::Audience::kEverybody, Need::kNothing, plain(write_live)},
      {"/readyz", "GET, HEAD", http::Audience::kEverybody, Need::kNothing,
       [&] { return std::make_unique<api::admin::ReadinessExchange>(metrics, parts.read_status); }},
      {"/status", "GET, HEAD", http::Audience::kObservers, Need::kObserve,
       [&] { return std::make_unique<api::admin::StatusExchange>(metrics, parts.read_status); }},
      {"/metrics", "GET, HEAD", http::Audience::kObservers, Need::kObserve,
       [&] { return std::make_unique<api::admin::MetricsExchange>(metrics, parts.refresh_metrics); }},
      {"/reload", "POST", http::Audience::kAdmins, Need::kAdmin,
       [&] { return std::make_unique<api::admin::ReloadExchange>(metrics, parts.ask_for_reload); },
       http::Effect::kChanges},

      // The next routes serve people and their keys. A log-in has no credential yet. The pages need none, and ask
      // /api/me who the person is.
      {"/api/register", "POST", http::Audience::kClients, Need::kAnyone, account(api::account::register_actions())},
      {"/api/login", "POST", http::Audience::kClients, Need::kAnyone, account(api::account::login_actions())},
      {"/api/logout", "POST", http::Audience::kClients, Need::kIdentity, account(api::account::logout_actions())},
      {"/api/password", "POST", http::Audience::kClients, Need::kIdentity, account(api::account::password_actions())},
      {"/api/me", "GET, HEAD, DELETE", http::Audience::kClients, Need::kIdentity, account(api::account::me_actions())},
      {"/api/keys", "GET, HEAD, POST", http::Audience::kPeople, Need::kIdentity, account(api::account::keys_actions())},
      {"/api/keys/{id}", "DELETE", http::Audience::kPeople, Need::kIdentity, account(api::account::key_actions())},
      {"/api/users", "GET, HEAD, POST", http::Audience::kObservers, Need::kAdmin,
       account(api::account::users_actions())},
      {"/api/users/{name}", "PATCH, DELETE", http::Audience::kObservers, Need::kAdmin,
       account(api::account::user_actions())},
      {"/api/users/{name}/password", "POST", http::Audience::kObservers, Need::kAdmin,
       account(api::account::reset_actions())},
      {"/api/invites", "POST", http::Audience::kObservers, Need::kAdmin, account(api::account::invites_actions())},
      {"/login", "GET, HEAD", http::Audience::kClients, Need::kNothing, file(api::page::kLoginPage)},
      {"/account", "GET, HEAD", http::Audience::kClients, Need::kNothing, file(api::page::kAccountPage)},
      {"/admin", "GET, HEAD", http::Audience::kClients, Need::kNothing, file(api::page::kAdminPage)},
      {"/pages/people.css", "GET, HEAD", http::Audience::kClients, Need::kNothing, file(api::page::kPeopleCss)},
      {"/pages/people.js", "GET, HEAD", http::Audience::kClients, Need::kNothing, file(api::page::kPeopleJs)},
  };
  // Each of these protocols can be switched off. Roboflow's come last, because one of them matches many paths.
  struct Protocol {
    bool is_enabled;
    void (*add)(const RouteParts& parts, std::vector<http::Route>& routes);
  };
  const common::Config& config = parts.config;
  for (const auto& protocol :
       {Protocol{config.oip.enabled, add_oip_routes}, Protocol{config.oip.enabled, add_shared_memory_routes},
        Protocol{config.deepstack.enabled, add_deepstack_routes}, Protocol{config.doods.enabled, add_doods_routes},
        Protocol{config.roboflow.enabled, add_roboflow_routes}}) {
    if (protocol.is_enabled) protocol.add(parts, routes);
  }
  return routes;
}

void write_refusal(const common::Error& error, std::string_view path, http::Response& response) {
  if (path == "/v2" || path.starts_with("/v2/")) return api::oip::write_error(response, error);
  if (api::deepstack::owns_path(path)) {
    return api::deepstack::write_error(response, error, common::DeepStackErrors::kStatus);
  }
  if (api::doods::owns_path(path)) return api::doods::write_error(response, error);
  if (api::roboflow::owns_path(path)) return api::roboflow::write_error(response, error);
  api::write_error(response, error);
}

}  // namespace yolod::app
