#include "app/http/error_status.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <vector>

namespace yolod::app {
namespace {

using common::Error;
using common::ErrorCode;

// Every code there is.
std::vector<ErrorCode> all_codes() {
  std::vector<ErrorCode> codes;
  for (std::uint32_t value = 0; value < 1000; ++value) {
    if (const auto code = common::error_code_from(value)) codes.push_back(*code);
  }
  return codes;
}

TEST_CASE("ErrorStatus: each code has the status that the contract gives it", "[app][unit]") {
  const auto [code, status] = GENERATE(table<ErrorCode, int>(
      {{ErrorCode::kBadRequest, 400},   {ErrorCode::kInvalidParameter, 400}, {ErrorCode::kInvalidImage, 400},
       {ErrorCode::kUnauthorized, 401}, {ErrorCode::kForbidden, 403},        {ErrorCode::kNotFound, 404},
       {ErrorCode::kUnknownModel, 404}, {ErrorCode::kMethodNotAllowed, 405}, {ErrorCode::kRequestTimeout, 408},
       {ErrorCode::kBodyTooLarge, 413}, {ErrorCode::kImageTooLarge, 413},    {ErrorCode::kUnsupportedMediaType, 415},
       {ErrorCode::kQuarantined, 422},  {ErrorCode::kHeaderTooLarge, 431},   {ErrorCode::kWorkerCrashed, 500},
       {ErrorCode::kInternal, 500},     {ErrorCode::kQueueFull, 503},        {ErrorCode::kNotReady, 503},
       {ErrorCode::kShuttingDown, 503}, {ErrorCode::kDeadlineExceeded, 504}, {ErrorCode::kBadConfig, 500},
       {ErrorCode::kBadModel, 500},     {ErrorCode::kSystem, 500},           {ErrorCode::kImageTooComplex, 413}}));
  CAPTURE(common::to_string(code));
  CHECK(static_cast<int>(http_status(code)) == status);
}

TEST_CASE("ErrorStatus: no code is answered with success", "[app][unit]") {
  REQUIRE(all_codes().size() == 25);
  for (const ErrorCode code : all_codes()) CHECK(static_cast<int>(http_status(code)) >= 400);
}

TEST_CASE("ErrorStatus: a client is told of its own doing, and nothing of ours", "[app][unit]") {
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

}  // namespace
}  // namespace yolod::app
