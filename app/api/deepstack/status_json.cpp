#include "app/api/deepstack/status_json.hpp"

#include <array>
#include <string_view>

#include "common/version.hpp"

namespace yolod::app::api::deepstack {
namespace {

namespace beast_http = boost::beast::http;

// Appends {"major":1,"minor":2,"patch":3,"build":0} for the version 1.2.3.
void append_version(http::TextBuffer& out) {
  constexpr std::array<std::string_view, 3> kNames{"{\"major\":", ",\"minor\":", ",\"patch\":"};
  std::string_view rest = common::kVersion;
  for (const auto name : kNames) {
    const auto digits = rest.substr(0, rest.find_first_not_of("0123456789"));
    out += name;
    out += digits.empty() ? std::string_view("0") : digits;
    rest.remove_prefix(digits.size());
    if (rest.starts_with('.')) rest.remove_prefix(1);
  }
  out += R"(,"build":0})";
}

}  // namespace

void write_ping(http::Response& response) {
  response.start(beast_http::status::ok);
  response.body += R"({"success":true,"code":200,"hostname":"localhost","message":)";
  response.body.add_json(common::kVersion);
  response.body += R"(,"version":)";
  append_version(response.body);
  response.body += '}';
}

void write_update(http::Response& response) {
  response.start(beast_http::status::ok);
  response.body += R"({"success":true,"message":"","version":null,"current":)";
  append_version(response.body);
  response.body += R"(,"latest":)";
  append_version(response.body);
  response.body += R"(,"updateAvailable":false})";
}

void write_models(const std::set<std::string>& names, http::Response& response) {
  response.start(beast_http::status::ok);
  response.body += R"({"success":true,"models":[)";
  bool is_first = true;
  for (const auto& name : names) {
    if (!is_first) response.body += ',';
    is_first = false;
    response.body.add_json(name);
  }
  response.body += R"(],"moduleId":"yolod","moduleName":"yolod","command":"list-custom","code":200})";
}

}  // namespace yolod::app::api::deepstack
