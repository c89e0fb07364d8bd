#include "app/api/predict/predict_handler.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "tests/unit/app/api/exchange_driver.hpp"
#include "tests/unit/app/api/handler_bench.hpp"

namespace yolod::app::api::predict {
namespace {

namespace json = boost::json;
using Kind = PredictHandler::Kind;
using Next = http::Exchange::Next;
using common::ErrorCode;
using common::Task;

common::ModelConfig config_for(Task task) { return config_with_task("m", task); }

class PredictBench : public HandlerBench {
 public:
  explicit PredictBench(common::ModelConfig settings = config_for(Task::kDetect), Kind kind = Kind::kPredictions)
      : HandlerBench(std::move(settings)), handler(*this, kind) {}
  common::Outcome<void> begin(const std::string& query, const std::string& fields = "") {
    return begin_request("POST /predict" + query + " HTTP/1.1\r\nHost: a\r\n" + fields);
  }

  PredictHandler handler;

 private:
  [[nodiscard]] Handler& tested() override { return handler; }
};

std::string error_of(const common::Outcome<void>& outcome) { return outcome ? std::string() : outcome.error().message; }

TEST_CASE("PredictHandler: the whole body is the picture, and the query holds the options", "[app][unit]") {
  PredictBench bench;
  REQUIRE(bench.begin("?confidence=0.5&iou=0.25&max_detections=7&priority=high").ok());
  CHECK(bench.plan.model == bench.model);
  CHECK(bench.plan.urgency.priority == schedule::Priority::kHigh);
  CHECK(bench.plan.urgency.deadline == common::Clock::time_point::max());
  REQUIRE(bench.ready("picture").value());
  REQUIRE(bench.calls.size() == 1);
  CHECK(bench.content(0) == "picture");
  CHECK(bench.calls[0].options == common::PredictionOptions{0.5F, 0.25F, 7, {}, false});
}

TEST_CASE("PredictHandler: X-Request-Timeout counts from the request's first byte", "[app][unit]") {
  PredictBench bench;
  REQUIRE(bench.begin("", "X-Request-Timeout: 1500\r\n").ok());
  CHECK(bench.plan.urgency.deadline == bench.began + std::chrono::milliseconds(1500));
  CHECK_FALSE(bench.begin("", "X-Request-Timeout: soon\r\n").ok());
}

TEST_CASE("PredictHandler: the picture of a form is its part with the name image", "[app][unit]") {
  const std::string type = "Content-Type: multipart/form-data; boundary=xx\r\n";
  PredictBench bench;
  SECTION("the form has the part") {
    REQUIRE(bench.begin("", type).ok());
    REQUIRE(
        bench
            .ready(
                "--xx\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\npicture\r\n--xx--\r\n")
            .value());
    CHECK(bench.content(0) == "picture");
  }
  SECTION("the form does not have the part") {
    REQUIRE(bench.begin("", type).ok());
    const auto done = bench.ready("--xx\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\ny\r\n--xx--\r\n");
    REQUIRE_FALSE(done.ok());
    CHECK(done.error().code == ErrorCode::kBadRequest);
  }
  SECTION("a form without a boundary is refused") {
    CHECK(error_of(bench.begin("", "Content-Type: multipart/form-data\r\n")) ==
          "multipart: the Content-Type has no valid boundary");
  }
}

std::string error_of(const common::Outcome<bool>& outcome) { return outcome ? std::string() : outcome.error().message; }

const std::string kForm = "Content-Type: multipart/form-data; boundary=xx\r\n";
const std::string kJson = "Content-Type: application/json; charset=utf-8\r\n";

std::string field(const std::string& name, const std::string& value, const std::string& more = "") {
  return "--xx\r\nContent-Disposition: form-data; name=\"" + name + "\"" + more + "\r\n\r\n" + value + "\r\n";
}
std::string file(const std::string& value) { return field("image", value, "; filename=\"a.jpg\""); }

TEST_CASE("PredictHandler: a form may have the options before or behind the picture, and they win over the query",
          "[app][unit]") {
  PredictBench bench;
  REQUIRE(bench.begin("?confidence=0.5&iou=0.25&priority=normal", kForm).ok());
  REQUIRE(bench
              .ready(field("confidence", "0.75") + file("picture") + field("max_detections", "7") +
                     field("priority", "high") + field("iou", "") + field("submit", "Upload") + "--xx--\r\n")
              .value());
  REQUIRE(bench.calls.size() == 1);
  CHECK(bench.content(0) == "picture");
  CHECK(bench.calls[0].options == common::PredictionOptions{0.75F, 0.25F, 7, {}, false});
  CHECK(bench.plan.urgency.priority == schedule::Priority::kHigh);
  CHECK_FALSE(bench.handler.wants_all_answers());
}

TEST_CASE("PredictHandler: a wrong option of a form is refused as in the query", "[app][unit]") {
  const auto refusal = [](const std::string& fields, const std::string& query = "") {
    PredictBench bench;
    REQUIRE(bench.begin(query, kForm).ok());
    const auto done = bench.ready(file("picture") + fields + "--xx--\r\n");
    REQUIRE_FALSE(done.ok());
    return done.error();
  };
  CHECK(refusal(field("confidence", "0,5")).message == "confidence must be a number from 0 to 1");
  CHECK(refusal(field("confidence", "0,5")).code == ErrorCode::kInvalidParameter);
  CHECK(refusal(field("top_k", "3")).code == ErrorCode::kInvalidParameter);
  CHECK(refusal("", "?top_k=3").code == ErrorCode::kInvalidParameter);
  CHECK(refusal(field("model", "other")).code == ErrorCode::kUnknownModel);
  CHECK(refusal(field("iou", "0.1") + field("iou", "0.1")).code == ErrorCode::kBadRequest);
  CHECK(refusal(field("iou", std::string(300, '1'))).code == ErrorCode::kBadRequest);
  CHECK(refusal(field("iou", "0.5", "; filename=\"x\"")).code == ErrorCode::kBadRequest);
}

// A second model, which only its name chooses.
class TwoModels final : public PredictBench {
 public:
  explicit TwoModels(Task task) : PredictBench(config_for(Task::kDetect)), other_config(config_for(task)) {
    other_config.name = "other";
  }
  [[nodiscard]] std::shared_ptr<serving::ServedModel> find(std::string_view name) const override {
    return name == "other" ? other : PredictBench::find(name);
  }
  common::ModelConfig other_config;
  std::shared_ptr<serving::ServedModel> other{
      std::make_shared<serving::ServedModel>(serving::ServedModel{&other_config, dispatcher, model_metrics})};
};

TEST_CASE("PredictHandler: the body may choose the model, and its options are judged for that model", "[app][unit]") {
  TwoModels bench(Task::kClassify);
  const bool is_form = GENERATE(true, false);
  REQUIRE(bench.begin("?top_k=3", is_form ? kForm : kJson).ok());
  CHECK(bench.plan.model == bench.model);
  const auto body = is_form ? field("model", "other") + file("x") + "--xx--" : R"({"model":"other","image":"eA=="})";
  REQUIRE(bench.ready(body).value());
  CHECK(bench.plan.model == bench.other);
  CHECK(bench.calls[0].options.top_k == 3);
}

TEST_CASE("PredictHandler: several pictures of a form are calls in order, and are answered by a list", "[app][unit]") {
  PredictBench bench;
  REQUIRE(bench.begin("", kForm).ok());
  REQUIRE(bench.ready(file("one") + field("confidence", "0.5") + file("two") + file("") + "--xx--").value());
  REQUIRE(bench.calls.size() == 3);
  CHECK(bench.content(0) == "one");
  CHECK(bench.content(1) == "two");
  CHECK(bench.content(2).empty());
  for (const auto& call : bench.calls) CHECK(call.options.confidence == 0.5F);
  CHECK(bench.handler.wants_all_answers());
}

TEST_CASE("PredictHandler: a form has a bounded number of pictures, and one if the answer is a file", "[app][unit]") {
  const auto refusal = [](PredictBench& bench, std::size_t count, const std::string& query = "") {
    REQUIRE(bench.begin(query, kForm).ok());
    std::string body;
    for (std::size_t i = 0; i < count; ++i) body += file("x");
    return error_of(bench.ready(body + "--xx--"));
  };
  PredictBench detector;
  CHECK(refusal(detector, api::kMostCalls + 1) == "multipart: the form has more than 64 parts named image");
  PredictBench fewer;
  CHECK(refusal(fewer, api::kMostCalls).empty());
  auto many = config_for(Task::kDetect);
  many.detect.max_detections = 30'000;
  PredictBench finds_much(many);
  CHECK(refusal(finds_much, 3) == "max_detections must be at most 21333 for a request with so many pictures");
  PredictBench finds_less(many);
  CHECK(refusal(finds_less, 3, "?max_detections=21333").empty());
  PredictBench images(config_for(Task::kImage), Kind::kImages);
  CHECK(refusal(images, 2) == "multipart: a second part is named image, but a request may have one picture");
  PredictBench tensors(config_for(Task::kTensor));
  CHECK(refusal(tensors, 2) == "a request to this model may have one file, because the answer is a file");
  auto drawing = config_for(Task::kDetect);
  drawing.detect.annotate = true;
  PredictBench annotated(drawing);
  CHECK(refusal(annotated, 2, "?annotate=1") == "annotate needs a request with one picture, because the answer is one");
}

TEST_CASE("PredictHandler: the texts of JSON are the pictures, and its other members are options", "[app][unit]") {
  PredictBench bench;
  REQUIRE(bench.begin("?iou=0.5&confidence=0.1", kJson).ok());
  REQUIRE(bench
              .ready(R"({"confidence": 0.25, "image": "data:image/png;base64,eA\/=", "max_detections": "7",
                          "priority": "high", "iou": null, "annotate": false})")
              .value());
  REQUIRE(bench.calls.size() == 1);
  CHECK(bench.calls[0].kind == common::ContentKind::kBase64);
  CHECK(bench.content(0) == R"(data:image/png;base64,eA\/=)");
  CHECK(bench.calls[0].options == common::PredictionOptions{0.25F, 0.5F, 7, {}, false});
  CHECK(bench.plan.urgency.priority == schedule::Priority::kHigh);
  CHECK_FALSE(bench.handler.wants_all_answers());
}

TEST_CASE("PredictHandler: a list of pictures in JSON is answered by a list, also if it has one", "[app][unit]") {
  const int count = GENERATE(1, 2, 64);
  PredictBench bench;
  REQUIRE(bench.begin("", kJson).ok());
  std::string body = R"({"confidence":1,"images":[)";
  for (int i = 0; i < count; ++i) body.append(i == 0 ? "" : ", ").append("\"" + std::to_string(i + 100) + "\"");
  REQUIRE(bench.ready(body + "]}").value());
  REQUIRE(bench.calls.size() == static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) CHECK(bench.content(static_cast<std::size_t>(i)) == std::to_string(i + 100));
  CHECK(bench.calls.back().options.confidence == 1.0F);
  CHECK(bench.handler.wants_all_answers());
}

TEST_CASE("PredictHandler: the error for any other JSON names the mistake", "[app][unit]") {
  const auto check = [](const std::string& body, const std::string& part) {
    CAPTURE(body.substr(0, 100));
    PredictBench bench;
    REQUIRE(bench.begin("", kJson).ok());
    const auto done = bench.ready(body);
    const auto found = error_of(done);
    CAPTURE(found);
    REQUIRE_FALSE(done.ok());
    CHECK(found.find(part) != std::string::npos);
    CHECK(found.size() < 250);
  };
  check("", "the text ends within its object");
  check("{}", "the key \"image\" is missing");
  check(R"({"images":[]})", "the key \"image\" is missing");
  check(R"({"image": "Zm9v")", "the text ends within its object");
  check(R"({"image": "Zm9v",})", "not well formed");
  check(R"({"image": "Zm9v"} x)", "there is text after the object");
  check(R"({"image": "Zm9v"}{"image": "Zm9v"})", "there is text after the object");
  check(R"({"images": ["Zm9v""Zm9v"]})", "not well formed");
  check(R"(["Zm9v"])", "must be an object");
  check(R"("Zm9v")", "the text ends within its object");
  check(R"({"image": "Zm9v", "image": "Zm9v"})", "a picture is given twice");
  check(R"({"image": "Zm9v", "images": ["Zm9v"]})", "either image or images");
  check(R"({"images": ["Zm9v"], "image": "Zm9v"})", "either image or images");
  check(R"({"images": "Zm9v"})", "must be a list");
  check(R"({"image": ["Zm9v"]})", "a picture must be a text in base64");
  check(R"({"images": [["Zm9v"]]})", "'images' must be a text or a list of texts");
  check(R"({"image": "Zm9v", "iou": {"image": "a"}})", "iou must be a number or a text");
  check(R"({"image": "Zm9v", "confidence": true})", "confidence must be a number or a text");
  check(R"({"image": "Zm9v", "annotate": []})", "annotate must be 0, 1, true or false");
  check(R"({"image": "Zm9v", "x": {"image": "a"}})", "\"x\" is not a parameter");
  check(R"({"im\u0061ge": "0"})", "have no escapes");
  check(R"({"image": "Zm9v", "confidense": 0.5})", "did you mean confidence?");
  check(R"({"image": "Zm9v", "confidence": 2})", "confidence must be a number from 0 to 1");
  check(R"({"image": "Zm9v", "confidence": "0,5"})", "confidence must be a number from 0 to 1");
  check(R"({"image": "Zm9v", "max_detections": -1})", "max_detections must be a whole number");
  check(R"({"image": "Zm9v", "top_k": 3})", "top_k is for models that classify");
  check("{\"" + std::string(20'000, 'k') + "\": 1, \"image\": \"\"}", "is not a parameter");
  for (const auto* value : {"1", "-1", "1e5", "18446744073709551615", "true", "null", "{\"image\": \"Zm9v\"}"}) {
    check("{\"image\": " + std::string(value) + "}", "'image' must be a text or a list of texts");
  }
  std::string many;
  for (std::size_t i = 0; i <= api::kMostCalls; ++i) many.append(i == 0 ? "" : ",").append("\"\"");
  check("{\"images\": [" + many + "]}", "it has more than 64 pictures");
}

TEST_CASE("PredictHandler: a tensor model refuses JSON", "[app][unit]") {
  PredictBench tensors(config_for(Task::kTensor));
  REQUIRE(tensors.begin("", kJson).ok());
  const auto refused = tensors.ready(R"({"image":"eA=="})");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kUnsupportedMediaType);
}

TEST_CASE("PredictHandler: the parameter annotate or the Accept header asks for a picture", "[app][unit]") {
  auto drawing = config_for(Task::kDetect);
  drawing.detect.annotate = true;
  const auto options = [&](const std::string& query, const std::string& fields, const common::ModelConfig& config) {
    PredictBench bench(config);
    REQUIRE(bench.begin(query, fields).ok());
    REQUIRE(bench.ready("x").value());
    return bench.calls[0].options;
  };
  const auto annotated = [](bool png) {
    common::PredictionOptions wanted;
    wanted.annotate = true;
    wanted.png = png;
    return wanted;
  };
  CHECK(options("", "", drawing) == common::PredictionOptions{});
  CHECK(options("?annotate=1", "", drawing) == annotated(false));
  CHECK(options("?annotate=1", "Accept: */*\r\n", drawing) == annotated(false));
  CHECK(options("?annotate=1", "Accept: image/png\r\n", drawing) == annotated(true));
  CHECK(options("", "Accept: image/jpeg\r\n", drawing) == annotated(false));
  CHECK(options("", "Accept: image/png\r\n", drawing) == annotated(true));
  CHECK(options("?annotate=0", "Accept: image/png\r\n", drawing) == common::PredictionOptions{});
  CHECK(options("", "Accept: application/json, image/png;q=0.5\r\n", drawing) == common::PredictionOptions{});
  // No request is refused because of its Accept header.
  CHECK(options("", "Accept: image/png\r\n", config_for(Task::kDetect)) == common::PredictionOptions{});
  PredictBench refusing;
  CHECK_FALSE(refusing.begin("?annotate=1").ok());
}

TEST_CASE("PredictHandler: a long answer is compressed if the client prefers that", "[app][unit]") {
  const auto [accept, count, coding] = GENERATE(table<std::string, std::size_t, std::string>(
      {{"gzip, deflate, br", 2000, "gzip"}, {"deflate", 2000, "deflate"}, {"br", 2000, ""}, {"gzip", 10, ""}}));
  CAPTURE(accept, count);
  PredictBench bench;
  REQUIRE(bench.begin("", "Accept-Encoding: " + accept + "\r\n").ok());
  api::Answers answers(1);
  common::DetectionList list{640, 480, {}};
  list.detections.resize(count, {0, 0.5F, {1, 2, 3, 4}});
  answers[0].prediction = common::Prediction(list);
  answers[0].model = std::make_shared<const common::ModelDescription>(
      common::ModelDescription{"detect", "cpu", "fp32", 416, 416, false, 0, {}, {"cat"}});
  int pieces = 1;
  while (!bench.handler.render({"m", answers}, bench.response)) ++pieces;
  const std::string fields(bench.response.fields.view());
  if (coding.empty()) {
    CHECK(fields.find("Content-Encoding") == std::string::npos);
    CHECK(bench.response.body.view().starts_with("{"));
  } else {
    CHECK(pieces > 4);
    CHECK(fields.find("Content-Encoding: " + coding + "\r\n") != std::string::npos);
    CHECK(bench.response.body.size() < 20'000);
  }
}

TEST_CASE("PredictHandler: a body with a content encoding is refused, and the error names the encoding",
          "[app][unit]") {
  PredictBench bench;
  CHECK(error_of(bench.begin("", "Content-Encoding: gzip\r\n")) ==
        "the Content-Encoding gzip is not supported; send the picture without it");
  CHECK(bench.begin("", "Content-Encoding: Identity\r\n").ok());
}

TEST_CASE("PredictHandler: each route accepts only its kind of model", "[app][unit]") {
  PredictBench images_at_predict(config_for(Task::kImage));
  CHECK(error_of(images_at_predict.begin("")) == "this model produces images: use PUT /image");
  CHECK(images_at_predict.plan.model == nullptr);  // the model does not count this refusal
  PredictBench detector_at_image(config_for(Task::kDetect), Kind::kImages);
  CHECK(error_of(detector_at_image.begin("")) ==
        "this model does not produce images: use POST /predict, or another model with ?model=");
  PredictBench images(config_for(Task::kImage), Kind::kImages);
  REQUIRE(images.begin("", "Accept: image/png\r\n").ok());
  REQUIRE(images.ready("picture").value());
  CHECK(images.calls[0].options.png);
}

TEST_CASE("PredictHandler: unsuitable parameters, models and options are refused", "[app][unit]") {
  PredictBench bench;
  CHECK(bench.begin("?nonsense=1").error().code == ErrorCode::kInvalidParameter);
  CHECK(bench.begin("?model=other").error().code == ErrorCode::kUnknownModel);
  CHECK(bench.plan.model == nullptr);
  CHECK(bench.begin("?top_k=3").error().code == ErrorCode::kInvalidParameter);
  CHECK(bench.plan.model == bench.model);  // now the model counts the refusal
}

common::ModelDescription describe() { return {"detect", "cpu", "fp32", 416, 416, false, 0, {}, {"cat"}}; }

TEST_CASE("PredictHandler: a long list is written in pieces and has the same text as in one piece", "[app][unit]") {
  const std::size_t count = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{500}, std::size_t{501},
                                     std::size_t{1000}, std::size_t{2345});
  PredictBench bench;
  REQUIRE(bench.begin("").ok());
  api::Answers answers(1);
  common::DetectionList list{640, 480, {}};
  list.detections.resize(count, {0, 0.5F, {1, 2, 3, 4}});
  answers[0].prediction = common::Prediction(list);
  answers[0].model = std::make_shared<const common::ModelDescription>(describe());
  int pieces = 1;
  while (!bench.handler.render({"m", answers}, bench.response)) ++pieces;
  CHECK((pieces > 1) == (count >= 500));
  json::error_code failure;
  const auto value = json::parse({bench.response.body.view().data(), bench.response.body.size()}, failure);
  REQUIRE_FALSE(failure);
  CHECK(value.at("predictions").as_array().size() == count);
  CHECK(value.at("timing_ms").at("total").is_number());
}

TEST_CASE("PredictHandler: the exchange carries the answer, and errors have yolod's own format", "[app][unit]") {
  api::ModelBench bench;
  api::ExchangeDriver driver(bench.io, std::make_unique<api::CallExchange>(
                                           bench.context, std::make_unique<PredictHandler>(bench, Kind::kPredictions)));
  REQUIRE(driver.begin("POST /predict HTTP/1.1\r\nHost: a\r\n") == Next::kReadBody);
  REQUIRE(driver.send("abc") == Next::kWait);
  driver.wait();
  bench.serve();
  driver.finish_wait();
  CHECK(driver.body().starts_with(R"({"success":true,"model":"echo","bytes":3)"));
  driver.exchange().refuse({ErrorCode::kRequestTimeout, "late"}, driver.response);
  CHECK(driver.status() == 408);
  CHECK(driver.body() == R"({"success":false,"error":{"code":"request_timeout","message":"late"}})");
}

TEST_CASE("PredictHandler: a picture that fails is an error in the list, and does not stop the others", "[app][unit]") {
  api::ModelBench bench;
  api::ExchangeDriver driver(bench.io, std::make_unique<api::CallExchange>(
                                           bench.context, std::make_unique<PredictHandler>(bench, Kind::kPredictions)));
  REQUIRE(driver.begin("POST /predict HTTP/1.1\r\nHost: a\r\n" + kForm) == Next::kReadBody);
  auto next = driver.send(file("abc") + file("bad!") + file("defgh") + "--xx--");
  while (next == Next::kNextTurn) next = driver.exchange().proceed(driver.response);
  REQUIRE(next == Next::kWait);
  driver.wait();
  for (int round = 0; round < 3; ++round) {
    for (const auto& cell : bench.worker.take()) {
      if (cell.content_bytes == 4) {
        bench.worker.refuse(cell, ErrorCode::kInvalidImage);
      } else {
        bench.worker.complete(cell);
      }
    }
    bench.dispatcher.worker_completions(bench.worker);
    bench.turn();
  }
  driver.finish_wait();
  CHECK(driver.status() == 200);
  json::error_code failure;
  const auto value = json::parse(driver.body(), failure);
  REQUIRE_FALSE(failure);
  const auto& list = value.at("answers").as_array();
  REQUIRE(list.size() == 3);
  CHECK(list[0].at("bytes") == 3);
  CHECK(list[1].at("error").at("code") == "invalid_image");
  CHECK(list[2].at("bytes") == 5);
  CHECK(bench.answers("echo", 200) == 1);
}

}  // namespace
}  // namespace yolod::app::api::predict
