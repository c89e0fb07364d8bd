#include "app/api/oip/logging_exchange.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "common/text.hpp"

namespace yolod::app::api::oip {
namespace {

namespace json = boost::json;
using common::Error;
using common::ErrorCode;

constexpr std::string_view kSettings =
    R"({"log_file":"","log_info":true,"log_warning":true,"log_error":true,"log_verbose_level":0,)"
    R"("log_format":"default"})";

}  // namespace

http::Exchange::Next LoggingExchange::act(std::string_view body, http::Response& response) {
  const auto wanted = object_in(body);
  if (!wanted) return fail(wanted.error(), response);
  const json::object settings = json::parse(kSettings).as_object();
  for (const auto& [key, value] : *wanted) {
    const json::value* const present = settings.if_contains(key);
    const std::string name = "'" + common::printable({key.data(), key.size()}, 100) + "'";
    if (present == nullptr) {
      return fail({ErrorCode::kInvalidParameter, "unknown log setting " + name}, response);
    }
    if (*present != value) {
      return fail({ErrorCode::kInvalidParameter, "the log setting " + name + " cannot be changed: system.yaml has it"},
                  response);
    }
  }
  http::write_json(response, boost::beast::http::status::ok, kSettings);
  return Next::kRespond;
}

}  // namespace yolod::app::api::oip
