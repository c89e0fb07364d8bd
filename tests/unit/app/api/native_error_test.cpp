#include "app/api/native_error.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

namespace yolod::app::api {
namespace {

using common::Error;
using common::ErrorCode;

using namespace std::string_literals;
namespace beast_http = boost::beast::http;
namespace json = boost::json;

json::object parsed_error(const http::Response& response) {
  json::error_code failure;
  const json::value value = json::parse({response.body.view().data(), response.body.size()}, failure);
  CAPTURE(response.body.view());
  REQUIRE_FALSE(failure);
  return value.as_object();
}

http::Response make_error(const Error& error, std::uint32_t retry_after_seconds = 1) {
  http::Response response;
  write_error(response, error, retry_after_seconds);
  return response;
}

// Lists every error code.
std::vector<ErrorCode> all_codes() {
  std::vector<ErrorCode> codes;
  for (std::uint32_t value = 0; value < 1000; ++value) {
    if (const auto code = common::error_code_from(value)) codes.push_back(*code);
  }
  return codes;
}

TEST_CASE("NativeError: each code has the status that docs/api.md gives it", "[app][unit]") {
  const auto [code, status] = GENERATE(table<ErrorCode, int>(
      {{ErrorCode::kBadRequest, 400},      {ErrorCode::kInvalidParameter, 400}, {ErrorCode::kInvalidImage, 400},
       {ErrorCode::kUnauthorized, 401},    {ErrorCode::kForbidden, 403},        {ErrorCode::kNotFound, 404},
       {ErrorCode::kUnknownModel, 404},    {ErrorCode::kMethodNotAllowed, 405}, {ErrorCode::kRequestTimeout, 408},
       {ErrorCode::kBodyTooLarge, 413},    {ErrorCode::kImageTooLarge, 413},    {ErrorCode::kUnsupportedMediaType, 415},
       {ErrorCode::kQuarantined, 422},     {ErrorCode::kHeaderTooLarge, 431},   {ErrorCode::kWorkerCrashed, 500},
       {ErrorCode::kInternal, 500},        {ErrorCode::kQueueFull, 503},        {ErrorCode::kNotReady, 503},
       {ErrorCode::kShuttingDown, 503},    {ErrorCode::kDeadlineExceeded, 504}, {ErrorCode::kBadConfig, 500},
       {ErrorCode::kBadModel, 500},        {ErrorCode::kSystem, 500},           {ErrorCode::kImageTooComplex, 413},
       {ErrorCode::kTooManyRequests, 429}, {ErrorCode::kConflict, 409}}));
  CAPTURE(common::to_string(code));
  CHECK(static_cast<int>(http_status(code)) == status);
}

TEST_CASE("NativeError: no error code has the status of a success", "[app][unit]") {
  REQUIRE(all_codes().size() == 27);
  for (const ErrorCode code : all_codes()) CHECK(static_cast<int>(http_status(code)) >= 400);
}

TEST_CASE("NativeError: the client gets details of its own mistake, but no internals of the server", "[app][unit]") {
  const std::set<ErrorCode> ours{ErrorCode::kInternal, ErrorCode::kBadConfig, ErrorCode::kBadModel, ErrorCode::kSystem};
  for (const ErrorCode code : all_codes()) {
    CAPTURE(common::to_string(code));
    const auto message = client_message(Error{code, "open /etc/secret: no such file"});
    if (ours.contains(code)) {
      CHECK(message.find("secret") == std::string::npos);
      CHECK_FALSE(message.empty());
    } else {
      CHECK(message == "open /etc/secret: no such file");
    }
  }
}

TEST_CASE("NativeError: an error has its status, its code and its message", "[app][unit]") {
  const auto response = make_error(Error{ErrorCode::kInvalidImage, "not an image"});
  CHECK(response.status == beast_http::status::bad_request);
  CHECK(response.content_type == "application/json");
  const auto body = parsed_error(response);
  CHECK(body.at("success") == false);
  CHECK(body.at("error") == json::value{{"code", "invalid_image"}, {"message", "not an image"}});
}

TEST_CASE("NativeError: every error is valid JSON, whatever its message holds", "[app][unit]") {
  const auto message = GENERATE(""s, "a \"quoted\" word"s, "back\\slash"s, "two\r\nlines\tand a tab"s, "\x01\x1F\x7F"s,
                                "Stra\xC3\x9F\x65"s, "\xF0\x9F\x9A\xA6"s, "</script>"s, "{}%{0}"s, "a\0b"s);
  for (std::uint32_t value = 1; value <= 23; ++value) {
    const auto code = common::error_code_from(value);
    REQUIRE(code);
    const auto body = parsed_error(make_error(Error{*code, message}));
    CHECK(body.at("error").at("code") == json::value(common::to_string(*code)));
    CHECK(body.at("error").at("message") == json::value(client_message(Error{*code, message})));
  }
}

TEST_CASE("NativeError: an error whose message is not UTF-8 is still JSON", "[app][unit]") {
  const auto body = parsed_error(make_error(Error{ErrorCode::kInvalidParameter, "caf\xE9: \xC3"}));
  CHECK(body.at("error").at("message") == "caf\xEF\xBF\xBD: \xEF\xBF\xBD");
}

TEST_CASE("NativeError: only an answer with 429 or 503 has Retry-After", "[app][unit]") {
  for (const ErrorCode code : all_codes()) {
    const auto response = make_error(Error{code, "x"}, 17);
    CAPTURE(common::to_string(code));
    if (response.status == beast_http::status::service_unavailable ||
        response.status == beast_http::status::too_many_requests) {
      CHECK(response.fields.view() == "Retry-After: 17\r\n");
    } else {
      CHECK(response.fields.view().empty());
    }
  }
}

}  // namespace
}  // namespace yolod::app::api
