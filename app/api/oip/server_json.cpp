#include "app/api/oip/server_json.hpp"

#include <algorithm>
#include <utility>

#include "app/api/oip/statistics_json.hpp"
#include "common/version.hpp"

namespace yolod::app::api::oip {

namespace beast_http = boost::beast::http;
using serving::ModelStatus;
using serving::ServerStatus;

namespace {

void append_unloaded(http::TextBuffer& out, const serving::UnloadedModel& model) {
  using State = serving::UnloadedModel::State;
  std::string_view state;
  std::string_view reason;
  switch (model.state) {
    case State::kUnloading:
      state = "UNLOADING";
      reason = "the model answers its last requests";
      break;
    case State::kUnloaded:
      state = "UNAVAILABLE";
      reason = "unloaded";
      break;
    case State::kLoading:
      state = "LOADING";
      reason = "the model is loading";
      break;
    case State::kFailed:
      state = "UNAVAILABLE";
      reason = "the last load failed";
      break;
  }
  out += R"({"name":)";
  out.add_json(model.name);
  out += R"(,"version":")";
  out.add_whole(model.generation);
  out += R"(","state":")";
  out += state;
  out += R"(","reason":")";
  out += reason;
  out += R"("})";
}

// `last` is the end of the list of extensions.
void write_server_with(std::string_view last, http::Response& response) {
  response.start(beast_http::status::ok);
  response.body += R"({"name":"yolod","version":)";
  response.body.add_json(common::kVersion);
  response.body += R"j(,"extensions":["classification","binary_tensor_data","model_configuration","model_repository",)j"
                   R"j("model_repository(unload_dependents)","parameters",)j";
  response.body += last;
  response.body += "]}";
}

}  // namespace

void write_server(http::Response& response) { write_server_with(R"("statistics")", response); }

void write_server_with_shared_memory(http::Response& response) {
  write_server_with(R"("statistics","system_shared_memory")", response);
}

void write_live(http::Response& response) { http::write_json(response, beast_http::status::ok, R"({"live":true})"); }

void write_ready(const ServerStatus& status, const observe::Metrics& /*metrics*/, http::Response& response) {
  const bool ready = !status.draining && std::all_of(status.models.begin(), status.models.end(),
                                                     [](const ModelStatus& model) { return model.ready; });
  response.start(ready ? beast_http::status::ok : beast_http::status::service_unavailable);
  response.body += R"({"ready":)";
  response.body += ready ? std::string_view("true") : std::string_view("false");
  response.body += R"(,"live":true})";
}

void write_models(const ServerStatus& status, const observe::Metrics& /*metrics*/, http::Response& response) {
  response.start(beast_http::status::ok);
  response.body += R"({"models":[)";
  for (std::size_t i = 0; i < status.models.size(); ++i) {
    if (i != 0) response.body += ',';
    response.body.add_json(status.models[i].name);
  }
  response.body += "]}";
}

void write_all_statistics(const ServerStatus& status, const observe::Metrics& metrics, http::Response& response) {
  response.start(beast_http::status::ok);
  response.body += R"({"model_stats":[)";
  bool first = true;
  for (const ModelStatus& model : status.models) {
    const auto* const statistics = metrics.find_statistics(model.name);
    if (statistics == nullptr) continue;
    if (!std::exchange(first, false)) response.body += ',';
    append_statistics(response.body, model.name, model.generation, *statistics);
  }
  response.body += "]}";
}

void write_index(const ServerStatus& status, bool only_ready, http::Response& response) {
  response.start(beast_http::status::ok);
  response.body += '[';
  bool first = true;
  for (const ModelStatus& model : status.models) {
    if (only_ready && !model.ready) continue;
    if (!std::exchange(first, false)) response.body += ',';
    response.body += R"({"name":)";
    response.body.add_json(model.name);
    response.body += R"(,"version":")";
    response.body.add_whole(model.generation);
    const bool loads = !model.ready && !model.workers.empty();
    response.body += R"(","state":")";
    response.body += model.ready ? "READY" : loads ? "LOADING" : "UNAVAILABLE";
    response.body += R"(","reason":")";
    response.body += model.ready ? "" : loads ? "the model is loading" : "the model has no worker";
    response.body += R"("})";
  }
  for (const serving::UnloadedModel& model : status.unloaded) {
    if (only_ready) break;
    if (!std::exchange(first, false)) response.body += ',';
    append_unloaded(response.body, model);
  }
  response.body += ']';
}

}  // namespace yolod::app::api::oip
