#include "app/api/roboflow/inference_handler.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <set>
#include <string>

#include "app/api/roboflow/registry_exchange.hpp"
#include "app/api/roboflow/roboflow_error.hpp"
#include "tests/unit/app/api/exchange_driver.hpp"
#include "tests/unit/app/api/handler_bench.hpp"

namespace yolod::app::api::roboflow::inference_handler_test {
namespace {

namespace json = boost::json;
using common::ErrorCode;
using Kind = InferenceHandler::Kind;

common::ModelConfig detector(common::Task task = common::Task::kDetect) {
  auto config = config_with_task("lights", task);
  config.detect.max_detections = 100;
  return config;
}

class InferenceBench final : public HandlerBench {
 public:
  explicit InferenceBench(Kind kind, common::Task task = common::Task::kDetect)
      : HandlerBench(detector(task)), handler(*this, settings, kind) {}

  common::Outcome<void> begin(const std::string& target = "/lights/1",
                              std::initializer_list<std::string_view> captured = {},
                              const std::string& type = "application/x-www-form-urlencoded") {
    return begin_request("POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Type: " + type + "\r\n", captured);
  }
  json::value render(std::vector<common::Prediction> predictions) {
    render_all(std::move(predictions));
    return answer();
  }
  void render_all(std::vector<common::Prediction> predictions) {
    HandlerBench::render_all(std::move(predictions), description_with({"red", "green"}));
  }

  common::RoboflowConfig settings;
  InferenceHandler handler;

 private:
  [[nodiscard]] Handler& tested() override { return handler; }
};

TEST_CASE("Roboflow: the body is base64 or a form, and the query has the options", "[app][unit]") {
  InferenceBench bench(Kind::kPath);
  SECTION("base64, with values in percent") {
    REQUIRE(bench
                .begin("/lights/3?api_key=K&confidence=40&overlap=30&max_detections=7&format=json&labels=on&stroke=2",
                       {"lights", "3"})
                .ok());
    CHECK(bench.plan.model == bench.model);
    REQUIRE(bench.ready("data:image/jpeg;base64,aGVsbG8=").value());
    CHECK(bench.content() == "data:image/jpeg;base64,aGVsbG8=");
    CHECK(bench.calls[0].kind == common::ContentKind::kBase64);
    CHECK(bench.calls[0].options.confidence == 0.4F);
    CHECK(bench.calls[0].options.iou == 0.3F);
    CHECK(bench.calls[0].options.max_detections == 7U);
  }
  SECTION("a form, with the defaults") {
    REQUIRE(bench.begin("/lights/1", {"lights", "1"}, "multipart/form-data; boundary=xx").ok());
    REQUIRE(bench
                .ready("--xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\npicture\r\n"
                       "--xx--\r\n")
                .value());
    CHECK(bench.content() == "picture");
    CHECK(bench.calls[0].kind == common::ContentKind::kFile);
    CHECK(bench.calls[0].options.confidence == 0.4F);
    CHECK_FALSE(bench.calls[0].options.iou);
    CHECK(bench.calls[0].options.max_detections == 100U);
  }
}

TEST_CASE("Roboflow: values are fractions below 1, and percent from 1 on", "[app][unit]") {
  const auto [text, confidence] = GENERATE(
      table<std::string, float>({{"0", 0.F}, {"0.5", 0.5F}, {"1", 0.01F}, {"100", 1.F}, {"best", 0.4F}, {"", 0.4F}}));
  CAPTURE(text);
  InferenceBench bench(Kind::kPath);
  REQUIRE(bench.begin("/lights/1?confidence=" + text, {"lights", "1"}).ok());
  REQUIRE(bench.ready("aGVsbG8=").value());
  CHECK(bench.calls[0].options.confidence == confidence);
}

TEST_CASE("Roboflow: wrong options are refused", "[app][unit]") {
  const std::string query = GENERATE("confidence=101", "confidence=-1", "confidence=x", "overlap=nan",
                                     "max_detections=0", "max_detections=x", "format=xml", "image=http://a/b.jpg",
                                     "format=image");  // the model does not draw
  CAPTURE(query);
  InferenceBench bench(Kind::kPath);
  CHECK_FALSE(bench.begin("/lights/1?" + query, {"lights", "1"}).ok());
}

TEST_CASE("Roboflow: a project or an alias names the model, and the version chooses nothing", "[app][unit]") {
  InferenceBench bench(Kind::kPath);
  bench.settings.aliases = {{"coco/3", "lights"}, {"traffic", "lights"}, {"ghost", "gone"}};
  CHECK(bench.begin("/a/b", {"lights", "12"}).ok());
  CHECK(bench.begin("/a/b", {"coco", "3"}).ok());
  CHECK(bench.begin("/a/b", {"traffic", "9"}).ok());
  CHECK(bench.begin("/a/b", {"coco", "4"}).error().code == ErrorCode::kUnknownModel);
  CHECK(bench.begin("/a/b", {"ghost", "1"}).error().code == ErrorCode::kUnknownModel);
  InferenceBench classifier(Kind::kPath, common::Task::kClassify);
  CHECK(classifier.begin("/a/b", {"lights", "1"}).error().code == ErrorCode::kInvalidParameter);
}

TEST_CASE("Roboflow: JSON has the model, the key, the options and the pictures", "[app][access][unit]") {
  InferenceBench bench(Kind::kJson);
  REQUIRE(bench.begin("/infer/object_detection").ok());
  CHECK(bench.plan.model == nullptr);
  CHECK(bench.handler.may_have_key());
  SECTION("one picture") {
    REQUIRE(bench
                .ready(R"({"image":{"type":"base64","value":"aGVsbG8="},"model_id":"lights/1","api_key":"K",)"
                       R"("confidence":0.5,"iou_threshold":0.25,"max_detections":1000,"class_agnostic_nms":true})")
                .value());
    CHECK(bench.plan.model == bench.model);
    CHECK(bench.content() == "aGVsbG8=");
    CHECK(bench.calls[0].kind == common::ContentKind::kBase64);
    CHECK(bench.calls[0].options.confidence == 0.5F);
    CHECK(bench.calls[0].options.iou == 0.25F);
    CHECK(bench.calls[0].options.max_detections == 100U);
  }
  SECTION("a list of pictures") {
    REQUIRE(bench
                .ready(R"({"api_key":"K","model_id":"lights","image":[{"type":"base64","value":"YQ=="},)"
                       R"({"type":"base64","value":"Yg=="}]})")
                .value());
    CHECK(bench.content(0) == "YQ==");
    CHECK(bench.content(1) == "Yg==");
    const auto answer = bench.render({common::DetectionList{10, 20, {}}, common::DetectionList{30, 40, {}}});
    REQUIRE(answer.as_array().size() == 2);
    CHECK(answer.at(1).at("image").at("width") == 30);
  }
  SECTION("the key is known although the rest is wrong") {
    for (const char* text : {R"({"api_key":"K"})", R"({"confidence":"x","api_key":"K","model_id":"lights"})",
                             R"({"image":{"type":"url","value":"http://a"},"model_id":"lights","api_key":"K"})",
                             R"({"image":{"type":"base64"},"model_id":"lights","api_key":"K"})",
                             R"({"image":[],"model_id":"lights","api_key":"K"})",
                             R"({"image":[{"type":"base64","value":"YQ=="},{"type":"base64","valu\u0065":0}],)"
                             R"("model_id":"lights","api_key":"K"})",
                             R"({"image":{"type":"base64","value":""},"model_id":"other/1","api_key":"K"})"}) {
      CAPTURE(text);
      CHECK_FALSE(bench.ready(text).ok());
      CHECK(bench.handler.body_key() == "K");
    }
  }
  if (!bench.calls.empty()) CHECK(bench.handler.body_key() == "K");
}

TEST_CASE("Roboflow: a box is its centre and its size", "[app][unit]") {
  InferenceBench bench(Kind::kPath);
  REQUIRE(bench.begin("/lights/1?classes=green,%20blue", {"lights", "1"}).ok());
  REQUIRE(bench.ready("aGVsbG8=").value());
  const auto answer = bench.render({common::DetectionList{
      400, 200, {{1, 0.875F, {40, 20, 200, 180}}, {0, 0.8F, {0, 0, 10, 10}}, {1, 0.5F, {0, 0, 10, 20}}}}});
  CHECK(answer.at("image").at("width") == 400);
  CHECK(answer.at("image").at("height") == 200);
  CHECK(answer.at("time").is_double());
  CHECK(answer.at("inference_id").as_string().size() == 36);
  const auto& found = answer.at("predictions").as_array();
  REQUIRE(found.size() == 2);
  CHECK(found[0].at("x").to_number<double>() == 120);
  CHECK(found[0].at("y").to_number<double>() == 100);
  CHECK(found[0].at("width").to_number<double>() == 160);
  CHECK(found[0].at("height").to_number<double>() == 160);
  CHECK(found[0].at("confidence").to_number<double>() == Approx(0.875));
  CHECK(found[0].at("class") == "green");
  CHECK(found[0].at("class_id") == 1);
  CHECK(found[0].at("detection_id") != found[1].at("detection_id"));
}

TEST_CASE("Roboflow: many objects are written in several turns, and a drawn picture in one turn", "[app][unit]") {
  InferenceBench bench(Kind::kPath);
  REQUIRE(bench.begin("/lights/1", {"lights", "1"}).ok());
  REQUIRE(bench.ready("aGVsbG8=").value());
  SECTION("objects") {
    common::DetectionList list{100, 100, {}};
    list.detections.resize(1000, {0, 0.5F, {0, 0, 1, 1}});
    CHECK(bench.render({list}).at("predictions").as_array().size() == 1000);
    CHECK(bench.turns == 4);
  }
  SECTION("a picture") {
    bench.render_all({common::EncodedFile{common::FileType::kJpeg, std::vector<std::byte>(5)}});
    CHECK(bench.response.content_type == "image/jpeg");
    CHECK(bench.response.file.size() == 5);
  }
}

TEST_CASE("Roboflow: errors have Roboflow's form", "[app][unit]") {
  http::Response response;
  write_error(response, {ErrorCode::kUnknownModel, "there is no model a/1"});
  CHECK(static_cast<int>(response.status) == 404);
  CHECK(response.body.view() == R"({"message":"there is no model a/1"})");
  for (const char* path : {"/a/1", "/infer/object_detection", "/model/registry"}) CHECK(owns_path(path));
  for (const char* path : {"/", "/a", "/a/", "/a/b", "/a/1/", "//1", "/a/b/1"}) CHECK_FALSE(owns_path(path));
}

TEST_CASE("Roboflow: the registry has each detector with and without a version, and the aliases", "[app][unit]") {
  api::ModelBench models(detector(), {"detect", "cpu", "fp32", 416, 320, false, 0, {}, {"red"}});
  common::RoboflowConfig settings;
  settings.aliases = {{"coco/3", "lights"}};
  const RegistryExchange::ReadStatus read = [] {
    serving::ServerStatus status;
    status.models.emplace_back().name = "lights";
    return status;
  };
  api::ExchangeDriver driver(models.io, std::make_unique<RegistryExchange>(models.metrics, settings, read, models));
  driver.finish(driver.begin("GET /model/registry HTTP/1.1\r\nHost: a\r\n"));
  std::set<std::string> ids;
  const auto answer = json::parse(driver.body());
  for (const auto& model : answer.at("models").as_array()) {
    ids.insert(std::string(model.at("model_id").as_string()));
    CHECK(model.at("task_type") == "object-detection");
    CHECK(model.at("input_height") == 320);
  }
  CHECK(ids == std::set<std::string>{"coco/3", "lights", "lights/1"});
}

}  // namespace
}  // namespace yolod::app::api::roboflow::inference_handler_test
