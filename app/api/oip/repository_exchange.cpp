#include "app/api/oip/repository_exchange.hpp"

#include <boost/json/value.hpp>
#include <memory>
#include <utility>

#include "app/api/oip/server_json.hpp"
#include "common/text.hpp"

namespace yolod::app::api::oip {
namespace {

namespace json = boost::json;
using common::Error;
using common::ErrorCode;
using common::Outcome;

}  // namespace

// ---- the index ----

http::Exchange::Next IndexExchange::act(std::string_view body, http::Response& response) {
  const auto asked = object_in(body);
  if (!asked) return fail(asked.error(), response);
  const json::value* const ready = asked->if_contains("ready");
  if (ready != nullptr && !ready->is_bool()) {
    return fail({ErrorCode::kBadRequest, "'ready' must be true or false"}, response);
  }
  write_index(read_(), ready != nullptr && ready->get_bool(), response);
  return Next::kRespond;
}

// ---- load and unload ----

// A browser adds the cookie of a session to requests of every page, so a session may not change the models.
Outcome<void> ModelControlExchange::look_at(const http::RequestView& request) {
  model_ = request.captures.front();
  request_id_.assign(request.request_id.data(), request.request_id.size());
  caller_ = request.caller.kind;
  if (request.caller.kind == access::Caller::Kind::kSession) {
    return Error{ErrorCode::kForbidden, "a browser's session may not load or unload models: use a key"};
  }
  return {};
}

Outcome<json::object> ModelControlExchange::parameters_in(std::string_view body) {
  const auto asked = object_in(body);
  if (!asked) return asked.error();
  const json::value* const parameters = asked->if_contains("parameters");
  if (parameters == nullptr) return json::object();
  if (!parameters->is_object()) return Error{ErrorCode::kBadRequest, "'parameters' must be an object"};
  return parameters->get_object();
}

void ModelControlExchange::wait(Resume done) {
  // A std::function needs a copyable callable.
  auto resume = std::make_shared<Resume>(std::move(done));
  ask([this, resume](const Outcome<void>& result) {
    result_ = result;
    (*resume)();
  });
}

http::Exchange::Next ModelControlExchange::proceed(http::Response& response) {
  if (result_) {
    response.start(boost::beast::http::status::ok);
    return Next::kRespond;
  }
  const auto& [code, reason] = result_.error();
  const std::string what = "failed to " + std::string(verb()) + " '" + common::printable(model_, 200) + "', ";
  switch (code) {
    case ErrorCode::kUnknownModel:
      write_failure(response, boost::beast::http::status::internal_server_error,
                    what + "failed to poll from model repository");
      return Next::kRespond;
    case ErrorCode::kBadConfig:
    case ErrorCode::kBadModel:  // the caller may load models, so the answer has the reason
      write_failure(response, boost::beast::http::status::internal_server_error, what + reason);
      return Next::kRespond;
    default: return fail(result_.error(), response);
  }
}

http::Exchange::Next LoadExchange::act(std::string_view body, http::Response& response) {
  const auto parameters = parameters_in(body);
  if (!parameters) return fail(parameters.error(), response);
  for (const auto& [key, value] : *parameters) {
    if (key != "config" || !value.is_string()) {
      return fail({ErrorCode::kInvalidParameter,
                   "the only parameter of a load is 'config', a text: system.yaml names the files of the model"},
                  response);
    }
    auto overrides = parse_overrides({value.get_string().data(), value.get_string().size()}, model());
    if (!overrides) return fail(overrides.error(), response);
    overrides_ = *std::move(overrides);
  }
  return Next::kWait;
}

void LoadExchange::ask(RepositoryDone done) {
  if (!overrides_) return ask_(model(), asker(), {}, std::move(done));
  ask_(
      model(), asker(), [this](common::ModelConfig& config) { return override_settings(*overrides_, config); },
      std::move(done));
}

// No model depends on another, so unload_dependents changes nothing.
http::Exchange::Next UnloadExchange::act(std::string_view body, http::Response& response) {
  const auto parameters = parameters_in(body);
  return parameters ? Next::kWait : fail(parameters.error(), response);
}

}  // namespace yolod::app::api::oip
