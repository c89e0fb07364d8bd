#include "app/api/predict/parameters.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "app/api/option_limits.hpp"
#include "app/api/request_values.hpp"
#include "common/domain/task.hpp"

namespace yolod::app::api::predict {
namespace {

using namespace std::string_literals;
using common::ErrorCode;

// The result is valid until the next call.
common::Outcome<PredictParameters> parse(const std::string& query) {
  static http::RequestTarget target;
  REQUIRE(target.parse("/predict?" + query));
  return parse_predict_parameters(target);
}

void check_refused(const std::string& query) {
  CAPTURE(query);
  const auto parameters = parse(query);
  REQUIRE_FALSE(parameters);
  CHECK(parameters.error().code == ErrorCode::kInvalidParameter);
  CHECK_FALSE(parameters.error().message.empty());
}

TEST_CASE("Parameters: a request without parameters uses the default model and its own settings", "[app][unit]") {
  const auto parameters = parse("");
  REQUIRE(parameters);
  CHECK(parameters->model.empty());
  CHECK(parameters->options == common::PredictionOptions{});
}

TEST_CASE("Parameters: a request with all parameters has each of them read", "[app][unit]") {
  const auto parameters = parse("max_detections=7&iou=0.25&model=tiny&confidence=0.5");
  REQUIRE(parameters);
  CHECK(parameters->model == "tiny");
  CHECK(parameters->options == common::PredictionOptions{0.5F, 0.25F, 7, {}, false});
}

TEST_CASE("Parameters: a fraction is any number from 0 to 1", "[app][unit]") {
  const auto [text, value] = GENERATE(table<std::string, float>({{"0", 0.0F},
                                                                 {"1", 1.0F},
                                                                 {"0.0", 0.0F},
                                                                 {"1.0", 1.0F},
                                                                 {".5", 0.5F},
                                                                 {"1e-1", 0.1F},
                                                                 {"0.3", 0.3F},
                                                                 {"1.", 1.0F}}));
  CAPTURE(text);
  const auto confidence = parse("confidence=" + text);
  REQUIRE(confidence);
  CHECK(confidence->options.confidence == value);
  const auto iou = parse("iou=" + text);
  REQUIRE(iou);
  CHECK(iou->options.iou == value);
}

TEST_CASE("Parameters: a fraction that is not a number from 0 to 1 is refused", "[app][unit]") {
  const auto text = GENERATE(""s, "-0.1"s, "1.0001"s, "2"s, "nan"s, "NaN"s, "inf"s, "-inf"s, "0.5x"s, "0,5"s, "%200.5"s,
                             "0.5%20"s, "+0.5"s, "%2B0.5"s, "0x0.8"s, "half"s, "1e40"s, "0.5.5"s, "50%25"s);
  check_refused("confidence=" + text);
  check_refused("iou=" + text);
}

TEST_CASE("Parameters: max_detections is a whole number of at least 1", "[app][unit]") {
  CHECK(parse("max_detections=1")->options.max_detections == 1);
  CHECK(parse("max_detections=30000")->options.max_detections == 30'000);
  for (const auto* text :
       {"", "0", "-1", "1.5", "1e3", "%201", "1%20", "+1", "0x10", "many", "4294967296", "99999999999999999999"}) {
    check_refused("max_detections="s + text);
  }
}

TEST_CASE("Parameters: priority is high or normal, and normal by default", "[app][unit]") {
  CHECK(parse("")->priority == schedule::Priority::kNormal);
  CHECK(parse("priority=normal")->priority == schedule::Priority::kNormal);
  CHECK(parse("priority=high")->priority == schedule::Priority::kHigh);
  for (const auto* text : {"", "High", "low", "1"}) check_refused("priority="s + text);
}

TEST_CASE("Parameters: X-Request-Timeout is a whole number of milliseconds, or absent", "[app][unit]") {
  CHECK(*api::parse_request_timeout("") == std::nullopt);
  CHECK(*api::parse_request_timeout("1") == std::chrono::milliseconds(1));
  CHECK(*api::parse_request_timeout("4294967295") == std::chrono::milliseconds(4'294'967'295));
  for (const auto* text : {"0", "-1", "1.5", "4294967296", "5s", " 5"}) {
    const auto parsed = api::parse_request_timeout(text);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == common::ErrorCode::kInvalidParameter);
  }
}

TEST_CASE("Parameters: top_k is a whole number from 1 to 1000", "[app][unit]") {
  CHECK(parse("top_k=1")->options.top_k == 1);
  CHECK(parse("top_k=1000")->options.top_k == 1000);
  for (const auto* text : {"", "0", "-1", "1.5", "1001", "five", "99999999999"}) check_refused("top_k="s + text);
}

TEST_CASE("Parameters: a parameter of another task than the model's is refused", "[app][unit]") {
  common::ModelConfig model;
  const auto allowed = [&](const std::string& query) { return limit_to(model, parse(query)->options).ok(); };
  CHECK(allowed("confidence=0.5&iou=0.5&max_detections=7"));
  CHECK_FALSE(allowed("top_k=1"));
  model.task = common::Task::kClassify;
  model.classify.top_k = 5;
  CHECK(allowed("top_k=10"));
  for (const auto* query : {"confidence=0.5", "iou=0.5", "max_detections=7"}) CHECK_FALSE(allowed(query));
  model.task = GENERATE(common::Task::kImage, common::Task::kTensor);
  for (const auto* query : {"confidence=0.5", "top_k=3"}) CHECK_FALSE(allowed(query));
}

TEST_CASE("Parameters: an unknown parameter is refused", "[app][unit]") {
  for (const auto* query : {"x=1", "Confidence=0.5", "confidence%20=0.5", "=1", "model[]=x", "a"}) check_refused(query);
}

TEST_CASE("Parameters: a repeated parameter is refused, also with the same value", "[app][unit]") {
  for (const auto* query : {"model=a&model=b", "iou=0.5&iou=0.5", "model=&model="}) check_refused(query);
}

TEST_CASE("Parameters: an error never repeats a value, and repeats only the beginning of an unknown name",
          "[app][unit]") {
  const auto value = parse("confidence=%3Cscript%3E");
  REQUIRE_FALSE(value);
  CHECK(value.error().message.find("script") == std::string::npos);
  const auto name = parse("confidenze" + std::string(1000, 'x') + "%0A=1");
  REQUIRE_FALSE(name);
  CHECK(name.error().message.size() < 200);
  const auto control = parse("a%0Ab%1B=1");
  REQUIRE_FALSE(control);
  CHECK(control.error().message.starts_with("\"a\\nb\\x1b\" is not a parameter of this path"));
}

TEST_CASE("Parameters: the error names the unknown parameter, the nearest known name and all known names",
          "[app][unit]") {
  CHECK(parse("confidense=0.5").error().message ==
        "\"confidense\" is not a parameter of this path, did you mean confidence? The parameters are model, priority, "
        "confidence, iou, max_detections, top_k and annotate");
  CHECK(parse("conf=0.5").error().message.find("did you mean") != std::string::npos);
}

TEST_CASE("Parameters: max_detections may lower the model's own limit, but not raise it", "[app][unit]") {
  common::ModelConfig model;
  model.detect.max_detections = 300;
  CHECK(limit_to(model, {}));
  CHECK(limit_to(model, {{}, {}, 1}));
  CHECK(limit_to(model, {{}, {}, 300}));
  for (const std::uint32_t count : {301U, UINT32_MAX}) {
    const auto limited = limit_to(model, {{}, {}, count});
    REQUIRE_FALSE(limited);
    CHECK(limited.error().code == ErrorCode::kInvalidParameter);
    CHECK(limited.error().message.find("300") != std::string::npos);
  }
}

}  // namespace
}  // namespace yolod::app::api::predict
