#include "app/api/stream/options.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::app::api::stream {
namespace {
namespace stream_options_cases {

using Catch::Matchers::Contains;
using common::ErrorCode;

common::Outcome<StreamOptions> query(const std::string& text) {
  http::RequestTarget target;
  REQUIRE(target.parse("/stream?" + text));
  return parse_stream_query(target);
}

TEST_CASE("StreamOptions: the query sets the model and all options", "[app][unit]") {
  const auto options = query(
      "model=m&confidence=0.5&iou=0.25&max_detections=7&annotate=1&priority=high&drop=oldest&max_in_flight=3"
      "&timeout_ms=250");
  REQUIRE(options.ok());
  CHECK(options->model == "m");
  CHECK(options->prediction.confidence == 0.5F);
  CHECK(options->prediction.iou == 0.25F);
  CHECK(options->prediction.max_detections == 7);
  CHECK(options->prediction.annotate);
  CHECK(options->priority == schedule::Priority::kHigh);
  CHECK(options->drop == StreamOptions::Drop::kOldest);
  CHECK(options->max_in_flight == 3);
  CHECK(options->timeout == std::chrono::milliseconds(250));
}

TEST_CASE("StreamOptions: a bad or unknown value of the query is an error", "[app][unit]") {
  const std::string text =
      GENERATE("confidence=2", "confidence=x", "iou=", "max_detections=0", "top_k=1001", "annotate=yes", "priority=low",
               "drop=newest", "max_in_flight=0", "max_in_flight=65", "timeout_ms=0", "timeout_ms=86400001", "id=x",
               "confidenc=0.5", "drop=oldest&drop=none");
  CAPTURE(text);
  const auto options = query(text);
  REQUIRE_FALSE(options.ok());
  CHECK(options.error().code == ErrorCode::kInvalidParameter);
}

TEST_CASE("StreamOptions: a message changes the options that it names, and null is the default", "[app][unit]") {
  StreamOptions options;
  REQUIRE(change_options(R"({"confidence":0.5,"id":"a","max_in_flight":2,"annotate":true,"drop":"oldest"})", options));
  REQUIRE(change_options(R"({"iou":1,"timeout_ms":100})", options));
  CHECK(options.prediction.confidence == 0.5F);
  CHECK(options.prediction.iou == 1.0F);
  CHECK(options.prediction.annotate);
  CHECK(options.id == "a");
  CHECK(options.max_in_flight == 2);
  REQUIRE(change_options(
      R"({"confidence":null,"max_in_flight":null,"annotate":null,"drop":null,"timeout_ms":null,"id":null,"iou":null})",
      options));
  CHECK_FALSE(options.prediction.confidence);
  CHECK_FALSE(options.prediction.iou);
  CHECK_FALSE(options.prediction.annotate);
  CHECK_FALSE(options.max_in_flight);
  CHECK_FALSE(options.timeout);
  CHECK(options.id.empty());
  CHECK(options.drop == StreamOptions::Drop::kNone);
  REQUIRE(change_options("{}", options));
}

TEST_CASE("StreamOptions: a number may also be a text, and an id may be a number", "[app][unit]") {
  StreamOptions options;
  REQUIRE(change_options(R"({"confidence":"0.5","id":18446744073709551615,"top_k":5})", options));
  CHECK(options.prediction.confidence == 0.5F);
  CHECK(options.prediction.top_k == 5);
  CHECK(options.id == "18446744073709551615");
}

TEST_CASE("StreamOptions: after an error nothing has changed", "[app][unit]") {
  const auto [text, code] = GENERATE(table<std::string, ErrorCode>({
      {"", ErrorCode::kBadRequest},
      {"[]", ErrorCode::kBadRequest},
      {"{", ErrorCode::kBadRequest},
      {R"({"iou":1)", ErrorCode::kBadRequest},
      {R"({"iou":{"a":{"b":{"c":{"d":{"e":1}}}}}})", ErrorCode::kBadRequest},
      {R"({"iou":0.5,"confidence":2})", ErrorCode::kInvalidParameter},
      {R"({"iou":0.5,"model":"m"})", ErrorCode::kInvalidParameter},
      {R"({"iou":0.5,"colour":"red"})", ErrorCode::kInvalidParameter},
      {R"({"iou":[0.5]})", ErrorCode::kInvalidParameter},
      {R"({"iou":0.5,"max_in_flight":1.5})", ErrorCode::kInvalidParameter},
      {R"({"iou":0.5,"max_in_flight":-1})", ErrorCode::kInvalidParameter},
      {R"({"iou":0.5,"id":")" + std::string(129, 'x') + "\"}", ErrorCode::kInvalidParameter},
  }));
  CAPTURE(text);
  StreamOptions options;
  const auto changed = change_options(text, options);
  REQUIRE_FALSE(changed.ok());
  CHECK(changed.error().code == code);
  CHECK_FALSE(options.prediction.iou);
}

}  // namespace stream_options_cases
}  // namespace
}  // namespace yolod::app::api::stream
