#include "app/api/oip/settings_exchange.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "app/api/oip/oip_error.hpp"

namespace yolod::app::api::oip {
namespace {

namespace json = boost::json;
using common::Error;
using common::ErrorCode;

struct Settings {
  std::string_view title;
  std::string_view values;
  std::string_view reason;  // why they cannot be changed
};

// The settings have the names of Triton (its extensions "logging" and "trace" in
// github.com/triton-inference-server/server).
constexpr Settings kLog{"log",
                        R"({"log_file":"","log_info":true,"log_warning":true,"log_error":true,"log_verbose_level":0,)"
                        R"("log_format":"default"})",
                        "system.yaml has it"};
constexpr Settings kTrace{"trace",
                          R"({"trace_file":"","trace_level":["OFF"],"trace_rate":"1000","trace_count":"-1",)"
                          R"("log_frequency":"0","trace_mode":"triton"})",
                          "this server does not trace"};

}  // namespace

http::Exchange::Next SettingsExchange::act(std::string_view body, http::Response& response) {
  const Settings& kept = kind_ == Kind::kLog ? kLog : kTrace;
  const auto wanted = object_in(body);
  if (!wanted) return fail(wanted.error(), response);
  const json::object settings = json::parse(kept.values).as_object();
  for (const auto& [key, value] : *wanted) {
    const json::value* const present = settings.if_contains(key);
    const std::string title(kept.title);
    const std::string name = in_quotes({key.data(), key.size()});
    if (present == nullptr) {
      return fail({ErrorCode::kInvalidParameter, "unknown " + title + " setting " + name}, response);
    }
    // A null asks for the trace setting that the server began with.
    if (*present == value || (kind_ == Kind::kTrace && value.is_null())) continue;
    return fail({ErrorCode::kInvalidParameter,
                 "the " + title + " setting " + name + " cannot be changed: " + std::string(kept.reason)},
                response);
  }
  http::write_json(response, boost::beast::http::status::ok, kept.values);
  return Next::kRespond;
}

}  // namespace yolod::app::api::oip
