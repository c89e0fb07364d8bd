#include "app/api/predict/predict_handler.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "tests/unit/app/api/exchange_driver.hpp"
#include "tests/unit/app/api/model_bench.hpp"

namespace yolod::app::api::predict {
namespace {

namespace json = boost::json;
using Kind = PredictHandler::Kind;
using Next = http::Exchange::Next;
using common::ErrorCode;
using common::Task;

common::ModelConfig config_for(Task task) {
  auto config = api::echo_config();
  config.name = "m";
  config.task = task;
  if (task != Task::kDetect) config.source = common::TorchScriptSource{};
  return config;
}

// Sends one request for a route to a handler, without a server.
class HandlerBench : public api::ModelBench {
 public:
  explicit HandlerBench(common::ModelConfig settings = config_for(Task::kDetect), Kind kind = Kind::kPredictions)
      : api::ModelBench(std::move(settings)), handler(*this, kind) {}

  common::Outcome<void> begin(const std::string& query, const std::string& fields = "") {
    head_text_ = "POST /predict" + query + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
    http::RequestHead head;
    REQUIRE_FALSE(reader_.read(boost::asio::buffer(head_text_), head));
    REQUIRE(target_.parse(head.target));
    return handler.begin({head, target_, {}, began, caller}, plan, response);
  }
  // Returns the calls of that body, which arrives in pieces of a few bytes.
  common::Outcome<bool> ready(const std::string& text) {
    body_ = text;
    const std::span<const std::byte> body(reinterpret_cast<const std::byte*>(body_.data()), body_.size());
    for (;;) {
      auto done = handler.ready(body, 16, calls);
      if (!done || *done) return done;
    }
  }
  [[nodiscard]] std::string content(std::size_t call) const {
    const auto bytes = calls[call].content;
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  access::Caller caller;
  common::Clock::time_point began{common::AwakeClock::now()};
  api::Plan plan;
  api::Calls calls;
  http::Response response;
  PredictHandler handler;

 private:
  std::string head_text_;
  std::string body_;
  http::RequestHeadReader reader_;
  http::RequestTarget target_;
};

std::string error_of(const common::Outcome<void>& outcome) { return outcome ? std::string() : outcome.error().message; }

TEST_CASE("PredictHandler: the whole body is the picture, and the query holds the options", "[app][unit]") {
  HandlerBench bench;
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
  HandlerBench bench;
  REQUIRE(bench.begin("", "X-Request-Timeout: 1500\r\n").ok());
  CHECK(bench.plan.urgency.deadline == bench.began + std::chrono::milliseconds(1500));
  CHECK_FALSE(bench.begin("", "X-Request-Timeout: soon\r\n").ok());
}

TEST_CASE("PredictHandler: the picture of a form is its part with the name image", "[app][unit]") {
  const std::string type = "Content-Type: multipart/form-data; boundary=xx\r\n";
  HandlerBench bench;
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
  SECTION("a form with an option as a part is refused") {
    REQUIRE(bench.begin("", type).ok());
    CHECK_FALSE(bench.ready("--xx\r\nContent-Disposition: form-data; name=\"iou\"\r\n\r\n1\r\n--xx--\r\n").ok());
  }
  SECTION("a form without a boundary is refused") {
    CHECK(error_of(bench.begin("", "Content-Type: multipart/form-data\r\n")) ==
          "multipart: the Content-Type has no valid boundary");
  }
}

TEST_CASE("PredictHandler: the handler leaves JSON to the worker, and a tensor model refuses JSON", "[app][unit]") {
  const std::string type = "Content-Type: application/json; charset=utf-8\r\n";
  HandlerBench bench;
  REQUIRE(bench.begin("", type).ok());
  REQUIRE(bench.ready("{}").value());
  CHECK(bench.calls[0].kind == common::ContentKind::kJson);
  HandlerBench tensors(config_for(Task::kTensor));
  const auto refused = tensors.begin("", type);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kUnsupportedMediaType);
}

TEST_CASE("PredictHandler: a body with a content encoding is refused, and the error names the encoding",
          "[app][unit]") {
  HandlerBench bench;
  CHECK(error_of(bench.begin("", "Content-Encoding: gzip\r\n")) ==
        "the Content-Encoding gzip is not supported; send the picture without it");
  CHECK(bench.begin("", "Content-Encoding: Identity\r\n").ok());
}

TEST_CASE("PredictHandler: each route accepts only its kind of model", "[app][unit]") {
  HandlerBench images_at_predict(config_for(Task::kImage));
  CHECK(error_of(images_at_predict.begin("")) == "this model produces images: use PUT /image");
  CHECK(images_at_predict.plan.model == nullptr);  // the model does not count this refusal
  HandlerBench detector_at_image(config_for(Task::kDetect), Kind::kImages);
  CHECK(error_of(detector_at_image.begin("")) ==
        "this model does not produce images: use POST /predict, or another model with ?model=");
  HandlerBench images(config_for(Task::kImage), Kind::kImages);
  REQUIRE(images.begin("", "Accept: image/png\r\n").ok());
  REQUIRE(images.ready("picture").value());
  CHECK(images.calls[0].options.png);
}

TEST_CASE("PredictHandler: unsuitable parameters, models and options are refused", "[app][unit]") {
  HandlerBench bench;
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
  HandlerBench bench;
  REQUIRE(bench.begin("").ok());
  api::Answers answers(1);
  common::DetectionList list{640, 480, {}};
  list.detections.resize(count, {0, 0.5F, {1, 2, 3, 4}});
  answers[0].prediction = common::Prediction(list);
  answers[0].model = std::make_shared<const common::ModelDescription>(describe());
  int pieces = 1;
  while (!bench.handler.render({"m", answers}, bench.response)) ++pieces;
  CHECK((pieces > 1) == (count > 500));
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

}  // namespace
}  // namespace yolod::app::api::predict
