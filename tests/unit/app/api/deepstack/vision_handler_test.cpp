#include "app/api/deepstack/vision_handler.hpp"

#include <openssl/evp.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "app/api/deepstack/status_exchange.hpp"
#include "app/api/deepstack/status_json.hpp"
#include "tests/unit/app/api/exchange_driver.hpp"
#include "tests/unit/app/api/handler_bench.hpp"

namespace yolod::app::api::deepstack {
namespace {

namespace json = boost::json;
using Kind = VisionHandler::Kind;
using common::ErrorCode;
using common::Task;

std::string form_part(const std::string& disposition, const std::string& content, const std::string& more = "") {
  return "--xx\r\nContent-Disposition: form-data; " + disposition + "\r\n" + more + "\r\n" + content + "\r\n";
}

class VisionBench final : public HandlerBench {
 public:
  explicit VisionBench(Task task = Task::kDetect, Kind kind = Kind::kDetection)
      : HandlerBench(config_with_task("m", task)), handler(*this, settings, kind) {}

  common::Outcome<void> begin(const std::string& query = "", std::initializer_list<std::string_view> captured = {},
                              const std::string& type = "multipart/form-data; boundary=\"xx\"") {
    return begin_request("POST /v1/vision/x" + query + " HTTP/1.1\r\nHost: a\r\nContent-Type: " + type + "\r\n",
                         captured);
  }
  // Gives the handler a form with these parts.
  common::Outcome<bool> ready(const std::string& parts) { return HandlerBench::ready(parts + "--xx--\r\n"); }
  // Returns the handler's answer to a prediction.
  json::object render(common::Prediction prediction, common::ModelDescription description) {
    std::vector<common::Prediction> predictions;
    predictions.push_back(std::move(prediction));
    render_all(std::move(predictions), std::move(description));
    return answer().as_object();
  }

  common::DeepStackConfig settings;
  VisionHandler handler;

 private:
  [[nodiscard]] Handler& tested() override { return handler; }
};

common::ModelDescription two_labels() { return description_with({"person", "car"}); }

TEST_CASE("DeepStack: the picture is the file of the form, and the confidence may follow it", "[app][unit]") {
  VisionBench bench;
  REQUIRE(bench.begin().ok());
  CHECK(bench.plan.model == bench.model);
  // node-red, AITool and deepstack-python send these forms.
  const auto form = GENERATE(
      form_part("name=\"api_key\"", "") + form_part("name=\"min_confidence\"", "0.45") +
          form_part("name=\"image\"; filename=\"image\"", "picture"),
      form_part("name=image; filename=a.jpg; filename*=utf-8''a.jpg", "picture") +
          form_part("name=min_confidence", "0,45", "Content-Type: text/plain; charset=utf-8\r\n"),
      form_part("name=\"image\"", "not a file") + form_part("name=\"other\"; filename=\"b\"", "unknown") +
          form_part("name=\"image\"; filename=\"a\"", "picture") +
          form_part("name=\"image\"; filename=\"c\"", "second") + form_part("name=\"min_confidence\"", " 0.45 "));
  REQUIRE(bench.ready(form).value());
  CHECK(bench.content() == "picture");
  CHECK(bench.calls[0].options.confidence == 0.45F);
  CHECK(bench.calls[0].options.max_detections == 20U);
}

TEST_CASE("DeepStack: min_confidence has a default, and its errors have DeepStack's texts", "[app][unit]") {
  const std::string image = form_part("name=\"image\"; filename=\"a\"", "picture");
  const auto [text, confidence, error] = GENERATE(
      table<std::string, float, std::string>({{"", 0.4F, ""},
                                              {"0", 0.F, ""},
                                              {"1", 1.F, ""},
                                              {"1.5", 0.F, "min_confidence cannot be greater than 1"},
                                              {"40", 0.F, "min_confidence cannot be greater than 1"},
                                              {"-0.1", 0.F, "Invalid value for min_confidence"},
                                              {"nan", 0.F, "Invalid value for min_confidence"},
                                              {"half", 0.F, "Invalid value for min_confidence"},
                                              {"0.4.5", 0.F, "Invalid value for min_confidence"},
                                              {std::string(100, '0'), 0.F, "Invalid value for min_confidence"}}));
  CAPTURE(text);
  VisionBench bench;
  REQUIRE(bench.begin().ok());
  const auto done = bench.ready(image + form_part("name=\"min_confidence\"", text));
  if (error.empty()) {
    REQUIRE(done.ok());
    CHECK(bench.calls[0].options.confidence == confidence);
  } else {
    REQUIRE_FALSE(done.ok());
    CHECK(done.error() == common::Error{ErrorCode::kInvalidParameter, error});
  }
}

TEST_CASE("DeepStack: the query may have min_confidence, and unknown parameters are ignored", "[app][unit]") {
  VisionBench bench;
  REQUIRE(bench.begin("?min_confidence=0.7&x=1").ok());
  REQUIRE(bench.ready(form_part("name=\"image\"; filename=\"a\"", "picture")).value());
  CHECK(bench.calls[0].options.confidence == 0.7F);
}

TEST_CASE("DeepStack: the key of the form is found wherever it is, and an empty key is none", "[app][access][unit]") {
  const std::string image = form_part("name=\"image\"; filename=\"a\"", "picture");
  const std::string key = form_part("name=\"api_key\"", "secret");
  {
    VisionBench bench;
    CHECK(bench.begin("", {"unknown"}).error().code == ErrorCode::kUnknownModel);
    CHECK(bench.handler.may_have_key());  // the form is read all the same
    REQUIRE(bench.ready(image + key).value());
    CHECK(bench.handler.body_key() == "secret");
  }
  for (const auto& form : {image + key, key + image, key, key + form_part("name=\"min_confidence\"", "x") + image}) {
    VisionBench bench;
    REQUIRE(bench.begin().ok());
    (void)bench.ready(form);
    CHECK(bench.handler.body_key() == "secret");
  }
  VisionBench empty;
  REQUIRE(empty.begin().ok());
  REQUIRE(empty.ready(form_part("name=\"api_key\"", "") + image).value());
  CHECK(empty.handler.body_key().empty());
  VisionBench no_form;
  CHECK_FALSE(no_form.begin("", {}, "image/jpeg").ok());
  CHECK_FALSE(no_form.handler.may_have_key());
}

TEST_CASE("DeepStack: a request without a picture is refused in DeepStack's words", "[app][unit]") {
  VisionBench bench;
  CHECK(bench.begin("", {}, "image/jpeg").error().message.starts_with("No valid image file found"));
  REQUIRE(bench.begin().ok());
  const auto done = bench.ready(form_part("name=\"image\"", "text"));
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().message.starts_with("No valid image file found"));
}

TEST_CASE("DeepStack: the path or an alias chooses the model, which must have the task of the path", "[app][unit]") {
  VisionBench bench;
  CHECK(bench.begin("", {"m"}).ok());
  CHECK(bench.begin("", {"unknown"}).error().code == ErrorCode::kUnknownModel);
  bench.settings.aliases = {{"general", "m"}, {"detection", "gone"}};
  CHECK(bench.begin("", {"general"}).ok());
  CHECK(bench.begin().error().code == ErrorCode::kUnknownModel);
  VisionBench scene(Task::kDetect, Kind::kScene);
  CHECK(scene.begin().error().code == ErrorCode::kForbidden);
}

TEST_CASE("DeepStack: objects have whole pixels within the picture, and times are whole milliseconds", "[app][unit]") {
  VisionBench bench;
  REQUIRE(bench.begin().ok());
  common::DetectionList list{640, 480, {}};
  list.detections = {{1, 0.93F, {1.4F, 2.6F, 639.7F, 480.F}}, {0, 0.5F, {0, 0, 10, 10}}, {1, 0.45F, {0, 0, 1, 1}}};
  const auto answer = bench.render(list, two_labels());
  CHECK(answer.at("success") == true);
  CHECK(answer.at("message") == "Found car, person");
  CHECK(answer.at("count") == 3);
  CHECK(json::serialize(answer.at("predictions").at(0)) ==
        R"({"confidence":9.3E-1,"label":"car","x_min":1,"y_min":3,"x_max":640,"y_max":480})");
  for (const char* time : {"duration", "inferenceMs", "processMs", "analysisRoundTripMs", "code"}) {
    CAPTURE(time);
    CHECK(answer.at(time).is_int64());
  }
  CHECK(answer.at("inferenceMs") == 21);
  CHECK(answer.at("processMs") == 23);
  CHECK_FALSE(answer.contains("error"));
}

TEST_CASE("DeepStack: a picture without objects has an empty list and a message", "[app][unit]") {
  VisionBench bench;
  REQUIRE(bench.begin().ok());
  const auto answer = bench.render(common::DetectionList{640, 480, {}}, two_labels());
  CHECK(answer.at("message") == "No objects found");
  CHECK(answer.at("predictions").as_array().empty());
}

TEST_CASE("DeepStack: a classifier answers with the scene", "[app][unit]") {
  VisionBench bench(Task::kClassify, Kind::kScene);
  REQUIRE(bench.begin().ok());
  REQUIRE(bench.ready(form_part("name=\"image\"; filename=\"a\"", "picture")).value());
  CHECK(bench.calls[0].options == common::PredictionOptions{});
  const auto answer = bench.render(common::ClassificationList{10, 10, {{1, 0.75F}, {0, 0.25F}}}, two_labels());
  CHECK(answer.at("label") == "car");
  CHECK(answer.at("confidence") == 0.75);
}

TEST_CASE("DeepStack: a picture is answered as base64 in several turns, with its size", "[app][unit]") {
  const std::size_t size = GENERATE(24U, 25U, 26U, 64U * 1024 * 3, 64U * 1024 * 3 + 1, 1'000'000U);
  VisionBench bench(Task::kImage, Kind::kEnhance);
  REQUIRE(bench.begin().ok());
  REQUIRE(bench.ready(form_part("name=\"image\"; filename=\"a\"", "picture")).value());
  CHECK(bench.calls[0].options.png);
  common::EncodedFile file{common::FileType::kPng, std::vector<std::byte>(size)};
  for (std::size_t i = 0; i < size; ++i) file.bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
  const std::array<unsigned char, 8> dimensions{0, 0, 1, 0, 0, 0, 0, 200};
  for (std::size_t i = 0; i < dimensions.size(); ++i) file.bytes[16 + i] = static_cast<std::byte>(dimensions[i]);
  const auto answer = bench.render(file, {"image", "cpu", "fp32", 0, 0, false, 0, {}, {}});
  CHECK((bench.turns > 1) == (size > 64U * 1024 * 3));
  CHECK(answer.at("width") == 256);
  CHECK(answer.at("height") == 200);
  const std::string text(answer.at("base64").as_string());
  std::vector<unsigned char> decoded(text.size());
  const int length = EVP_DecodeBlock(decoded.data(), reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  REQUIRE(length >= static_cast<int>(size));
  CHECK(std::memcmp(decoded.data(), file.bytes.data(), size) == 0);
}

TEST_CASE("DeepStack: errors are JSON in both styles, and a busy server keeps its status", "[app][unit]") {
  http::Response response;
  const common::Error picture{ErrorCode::kInvalidImage, "it ends early"};
  write_error(response, picture, common::DeepStackErrors::kStatus);
  CHECK(static_cast<int>(response.status) == 400);
  CHECK(response.body.view() ==
        R"({"success":false,"error":"invalid image file: it ends early","code":400,"duration":0})");
  write_error(response, picture, common::DeepStackErrors::kSuccess);
  CHECK(static_cast<int>(response.status) == 200);
  CHECK(
      response.body.view() ==
      R"({"success":false,"error":"invalid image file: it ends early","code":400,"predictions":[],"count":0,"duration":0})");
  write_error(response, {ErrorCode::kQueueFull, "full"}, common::DeepStackErrors::kSuccess, 7);
  CHECK(static_cast<int>(response.status) == 503);
  CHECK(response.fields.view() == "Retry-After: 7\r\n");
  write_error(response, {ErrorCode::kUnauthorized, "x"}, common::DeepStackErrors::kStatus);
  CHECK(response.body.view() == R"({"success":false,"error":"Incorrect api key","code":401,"duration":0})");
}

TEST_CASE("DeepStack: the list has the detectors and their aliases", "[app][unit]") {
  VisionBench bench;
  bench.settings.aliases = {{"general", "m"}, {"ghost", "gone"}};
  const ListExchange::ReadStatus read = [] {
    serving::ServerStatus status;
    status.models.emplace_back().name = "m";
    status.models.emplace_back().name = "gone";
    return status;
  };
  api::ExchangeDriver driver(bench.io, std::make_unique<ListExchange>(bench.metrics, bench.settings, read, bench));
  driver.finish(driver.begin("POST /v1/vision/custom/list HTTP/1.1\r\nHost: a\r\n"));
  CHECK(driver.body() == R"({"success":true,"models":["general","m"],"moduleId":"yolod","moduleName":"yolod",)"
                         R"("command":"list-custom","code":200})");
}

TEST_CASE("DeepStack: the status routes answer with a version", "[app][unit]") {
  http::Response response;
  for (const auto write : {write_ping, write_update}) {
    write(response);
    json::error_code failure;
    const auto value = json::parse({response.body.view().data(), response.body.size()}, failure);
    REQUIRE_FALSE(failure);
    CHECK(value.at("success") == true);
    const auto& version = value.at(write == write_ping ? "version" : "current");
    for (const char* part : {"major", "minor", "patch", "build"}) CHECK(version.at(part).is_int64());
  }
}

}  // namespace
}  // namespace yolod::app::api::deepstack
