#include "app/api/doods/detect_handler.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "app/api/doods/detectors_exchange.hpp"
#include "app/api/doods/doods_error.hpp"
#include "tests/unit/app/api/exchange_driver.hpp"
#include "tests/unit/app/api/handler_bench.hpp"

namespace yolod::app::api::doods::detect_handler_test {
namespace {

namespace json = boost::json;
using common::ErrorCode;

class DetectBench final : public HandlerBench {
 public:
  explicit DetectBench(common::Task task = common::Task::kDetect)
      : HandlerBench(config_with_task("cam", task)), handler(*this, settings) {
    REQUIRE(begin_request("POST /detect HTTP/1.1\r\nHost: a\r\n").ok());
    CHECK(plan.model == nullptr);
  }
  json::value render(common::Prediction prediction) {
    std::vector<common::Prediction> predictions;
    predictions.push_back(std::move(prediction));
    render_all(std::move(predictions), description_with({"person", "car"}));
    return answer();
  }

  common::DoodsConfig settings;
  DetectHandler handler;

 private:
  [[nodiscard]] Handler& tested() override { return handler; }
};

TEST_CASE("DOODS: the picture stays base64, and the least percent is the model's confidence", "[app][unit]") {
  DetectBench bench;
  REQUIRE(bench.ready(R"({"detector_name":"default","data":"aGVsbG8=","detect":{"*":50,"person":40}})").value());
  CHECK(bench.plan.model == bench.model);
  REQUIRE(bench.calls.size() == 1);
  CHECK(bench.calls[0].kind == common::ContentKind::kBase64);
  CHECK(bench.content() == "aGVsbG8=");
  CHECK(bench.calls[0].options.confidence == 0.4F);
}

TEST_CASE("DOODS: a detector is a model, an alias or the default", "[app][unit]") {
  const auto found = [](const std::string& name) {
    DetectBench bench;
    bench.settings.aliases = {{"yard", "cam"}, {"ghost", "gone"}};
    const auto done = bench.ready(R"({"data":"","detector_name":")" + name + "\"}");
    if (!done) CHECK(done.error().message == "unknown detector name: " + name);
    CHECK((bench.plan.model != nullptr) == done.ok());
    return done.ok();
  };
  CHECK(found(""));
  CHECK(found("default"));
  CHECK(found("cam"));
  CHECK(found("yard"));
  CHECK_FALSE(found("ghost"));
  CHECK_FALSE(found("other"));
  DetectBench classifier(common::Task::kClassify);
  CHECK(classifier.ready(R"({"data":""})").error().code == ErrorCode::kUnknownModel);
}

TEST_CASE("DOODS: the server opens no addresses", "[app][unit]") {
  for (const char* address : {"http://a/b.jpg", "https://a/b.jpg", "rtsp://a", "ftp://a"}) {
    DetectBench bench;
    const auto done = bench.ready(std::string(R"({"data":")") + address + "\"}");
    CHECK(done.error().message == "'data' must be a picture in base64, not an address");
  }
}

TEST_CASE("DOODS: objects have fractions of the picture, and their confidence in percent", "[app][unit]") {
  DetectBench bench;
  REQUIRE(bench.ready(R"({"id":"x","data":"","detect":{"car":50}})").value());
  const common::DetectionList list{
      400, 200, {{1, 0.875F, {40, 20, 200, 180}}, {0, 0.8F, {0, 0, 10, 10}}, {1, 0.49F, {0, 0, 1, 1}}}};
  const auto answer = bench.render(list);
  CHECK(answer.at("id") == "x");
  const auto& found = answer.at("detections").as_array();
  REQUIRE(found.size() == 1);
  CHECK(found[0].at("top").to_number<double>() == Approx(0.1));
  CHECK(found[0].at("left").to_number<double>() == Approx(0.1));
  CHECK(found[0].at("bottom").to_number<double>() == Approx(0.9));
  CHECK(found[0].at("right").to_number<double>() == Approx(0.5));
  CHECK(found[0].at("label") == "car");
  CHECK(found[0].at("confidence").to_number<double>() == Approx(87.5));
}

TEST_CASE("DOODS: many objects and regions are compared in several turns", "[app][unit]") {
  DetectBench bench;
  std::string regions;
  for (int i = 0; i < 64; ++i) {
    regions += std::string(i == 0 ? "" : ",") + R"({"top":0,"left":0,"bottom":1,"right":1,"detect":{"person":)" +
               (i == 63 ? "10}}" : "100}}");
  }
  REQUIRE(bench.ready(R"({"data":"","regions":[)" + regions + "]}").value());
  common::DetectionList list{100, 100, {}};
  for (int i = 0; i < 300; ++i) list.detections.push_back({static_cast<std::uint32_t>(i % 2), 0.5F, {0, 0, 1, 1}});
  const auto answer = bench.render(list);
  CHECK(answer.at("detections").as_array().size() == 150);
  CHECK(bench.turns > 1);
}

TEST_CASE("DOODS: errors have DOODS' form, with the id of the request", "[app][unit]") {
  http::Response response;
  write_error(response, {ErrorCode::kUnknownModel, "unknown detector name: \"x\""}, "7");
  CHECK(static_cast<int>(response.status) == 400);
  CHECK(response.body.view() == R"({"id":"7","detections":[],"error":"unknown detector name: \"x\""})");
  write_error(response, {ErrorCode::kQueueFull, "full"}, {}, 3);
  CHECK(static_cast<int>(response.status) == 503);
  CHECK(response.body.view() == R"({"detections":[],"error":"full"})");
  CHECK(response.fields.view() == "Retry-After: 3\r\n");
  CHECK(owns_path("/detect"));
  CHECK_FALSE(owns_path("/detect/"));
}

TEST_CASE("DOODS: the list has the detectors, their aliases and the default", "[app][unit]") {
  api::ModelBench models(config_with_task("cam", common::Task::kDetect),
                         {"detect", "cpu", "fp32", 416, 320, false, 0, {}, {"person", "car"}});
  common::DoodsConfig settings;
  settings.aliases = {{"yard", "cam"}, {"ghost", "gone"}};
  const DetectorsExchange::ReadStatus read = [] {
    serving::ServerStatus status;
    status.models.emplace_back().name = "cam";
    return status;
  };
  api::ExchangeDriver driver(models.io, std::make_unique<DetectorsExchange>(models.metrics, settings, read, models));
  driver.finish(driver.begin("GET /detectors HTTP/1.1\r\nHost: a\r\n"));
  const auto list = json::parse(driver.body()).at("detectors").as_array();
  REQUIRE(list.size() == 3);
  CHECK(json::serialize(list[0]) == R"({"name":"cam","type":"yolod","model":"cam","labels":["person","car"],)"
                                    R"("width":416,"height":320})");
  CHECK(list[1].at("name") == "default");
  CHECK(list[2].at("name") == "yard");
}

}  // namespace
}  // namespace yolod::app::api::doods::detect_handler_test
