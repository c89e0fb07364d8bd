#include "app/api/predict/prediction_json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <limits>
#include <memory>
#include <string>

#include "app/api/predict/answer_writer.hpp"

namespace yolod::app::api::predict {
namespace {

using namespace std::string_literals;
namespace beast_http = boost::beast::http;
namespace json = boost::json;
using common::DetectionList;
using common::IdentityAnswer;
using common::ModelDescription;

json::object parsed_body(const http::Response& response) {
  json::error_code failure;
  const json::value value = json::parse({response.body.view().data(), response.body.size()}, failure);
  CAPTURE(response.body.view());
  REQUIRE_FALSE(failure);
  REQUIRE(value.is_object());
  return value.as_object();
}

std::string text(const json::value& value) { return std::string(value.as_string().c_str(), value.as_string().size()); }

schedule::Answer answer_of(common::Prediction prediction,
                           ModelDescription description = {"detect", "cpu", "fp32", 416, 416, false, 0, {}, {"cat"}}) {
  schedule::Answer answer;
  answer.prediction = std::move(prediction);
  answer.times = {1500, 20'001, 999};
  answer.queue_us = 7;
  answer.model = std::make_shared<const ModelDescription>(std::move(description));
  return answer;
}

http::Response make_prediction(std::string_view model, schedule::Answer answer, std::uint32_t total_us) {
  api::Answers answers;
  answers.push_back(std::move(answer));
  http::Response response;
  AnswerWriter writer;
  while (!writer.write_some({model, answers}, false, total_us, response)) {
  }
  return response;
}

TEST_CASE("PredictionJson: an image without objects has an empty list", "[app][unit]") {
  const auto response = make_prediction("m", answer_of(DetectionList{640, 480, {}}), 1000);
  CHECK(response.status == beast_http::status::ok);
  CHECK(response.content_type == "application/json");
  const auto body = parsed_body(response);
  CHECK(body.at("success") == true);
  CHECK(body.at("model") == "m");
  CHECK(body.at("precision") == "fp32");
  CHECK(body.at("image") == json::value{{"width", 640}, {"height", 480}});
  CHECK(body.at("predictions").as_array().empty());
}

TEST_CASE("PredictionJson: classifications come in order, with label, class and probability", "[app][unit]") {
  const common::ClassificationList list{640, 480, {{1, 0.75F}, {0, 0.25F}}};
  const auto body = parsed_body(make_prediction(
      "m", answer_of(list, {"classify", "cpu", "fp32", 224, 224, false, 0, {}, {"cat", "d\"g"}}), 1000));
  CHECK(body.at("image") == json::value{{"width", 640}, {"height", 480}});
  const auto& predictions = body.at("predictions").as_array();
  REQUIRE(predictions.size() == 2);
  const auto& first = predictions[0].as_object();
  CHECK(first.at("label") == "d\"g");
  CHECK(first.at("class_id") == 1);
  CHECK(first.at("probability").to_number<double>() == 0.75);
  CHECK(first.size() == 3);
  CHECK(predictions[1].as_object().at("class_id") == 0);
}

TEST_CASE("PredictionJson: a file is sent unchanged, with its content type and the times", "[app][unit]") {
  const auto [type, name] =
      GENERATE(table<common::FileType, std::string>({{common::FileType::kJpeg, "image/jpeg"},
                                                     {common::FileType::kPng, "image/png"},
                                                     {common::FileType::kNpy, "application/x-npy"},
                                                     {common::FileType::kNpz, "application/zip"}}));
  const common::EncodedFile file{type, {std::byte{0}, std::byte{0xFF}, std::byte{'\n'}}};
  const auto response = make_prediction("m", answer_of(file), 1000);
  CHECK(response.status == beast_http::status::ok);
  CHECK(response.content_type == name);
  const auto content = response.content();
  CHECK(std::string(static_cast<const char*>(content.data()), content.size()) == "\0\xFF\n"s);
  CHECK(response.fields.view().starts_with("X-Content-Type-Options: nosniff\r\nServer-Timing: "));
}

TEST_CASE("PredictionJson: detections come in order, with label, class, confidence and box", "[app][unit]") {
  const DetectionList list{640, 480, {{1, 0.875F, {1.25F, 2.5F, 300, 400.75F}}, {0, 0.5F, {0, 0, 640, 480}}}};
  const auto body = parsed_body(
      make_prediction("m", answer_of(list, {"detect", "cpu", "bf16", 416, 416, false, 0, {}, {"cat", "dog"}}), 1000));
  const auto& predictions = body.at("predictions").as_array();
  REQUIRE(predictions.size() == 2);
  const auto& first = predictions[0].as_object();
  CHECK(first.at("label") == "dog");
  CHECK(first.at("class_id") == 1);
  CHECK(first.at("confidence").to_number<double>() == 0.875);
  CHECK(first.at("box").at("x_min").to_number<double>() == 1.25);
  CHECK(first.at("box").at("y_min").to_number<double>() == 2.5);
  CHECK(first.at("box").at("x_max").to_number<double>() == 300);
  CHECK(first.at("box").at("y_max").to_number<double>() == 400.75);
  CHECK(predictions[1].at("label") == "cat");
}

TEST_CASE("PredictionJson: labels, precision and the model's name are quoted, whatever they hold", "[app][unit]") {
  const auto word =
      GENERATE(""s, "a \"quoted\" cat"s, "back\\slash"s, "two\nlines"s, "\x01\x1F"s, "Stra\xC3\x9F\x65nbahn"s,
               "\xF0\x9F\x9A\xA6"s, "\",\"success\":false,\"x\":\""s, "{}"s, "a\0b"s);
  const DetectionList list{1, 1, {{0, 1, {}}}};
  const auto body =
      parsed_body(make_prediction(word, answer_of(list, {"detect", "cpu", word, 1, 1, false, 0, {}, {word}}), 1));
  CHECK(body.at("success") == true);
  CHECK(text(body.at("model")) == word);
  CHECK(text(body.at("precision")) == word);
  CHECK(text(body.at("predictions").as_array().at(0).at("label")) == word);
}

TEST_CASE("PredictionJson: numbers at their limits are still JSON", "[app][unit]") {
  constexpr auto kLargest = std::numeric_limits<float>::max();
  const DetectionList list{
      UINT32_MAX, UINT32_MAX, {{0, std::numeric_limits<float>::denorm_min(), {-kLargest, -0.0F, kLargest, kLargest}}}};
  auto answer = answer_of(list);
  answer.times = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
  answer.queue_us = UINT32_MAX;
  const auto body = parsed_body(make_prediction("m", answer, UINT32_MAX));
  CHECK(body.at("image").at("width") == UINT32_MAX);
  CHECK(body.at("timing_ms").at("total").to_number<double>() == 4294967.295);
}

TEST_CASE("PredictionJson: the largest number of detections fits into one answer", "[app][unit]") {
  DetectionList list{640, 480, {}};
  list.detections.resize(30'000);
  const auto body = parsed_body(make_prediction("m", answer_of(list), 1));
  CHECK(body.at("predictions").as_array().size() == 30'000);
}

TEST_CASE("PredictionJson: an answer of the identity model describes the bytes that arrived", "[app][unit]") {
  const auto body = parsed_body(make_prediction("echo", answer_of(IdentityAnswer{100'000, 0xBEEF, 4711}), 1000));
  CHECK(body.at("success") == true);
  CHECK(body.at("bytes") == 100'000);
  CHECK(body.at("crc32") == "0000beef");
  CHECK(body.at("worker_pid") == 4711);
}

TEST_CASE("PredictionJson: times are given in milliseconds, in the body and in Server-Timing", "[app][unit]") {
  const auto response = make_prediction("m", answer_of(IdentityAnswer{}), 25'000);
  const auto timing = parsed_body(response).at("timing_ms").as_object();
  CHECK(timing.at("queue").to_number<double>() == 0.007);
  CHECK(timing.at("decode").to_number<double>() == 1.5);
  CHECK(timing.at("infer").to_number<double>() == 20.001);
  CHECK(timing.at("post").to_number<double>() == 0.999);
  CHECK(timing.at("total").to_number<double>() == 25);
  CHECK(response.fields.view() ==
        "Server-Timing: queue;dur=0.007, decode;dur=1.500, infer;dur=20.001, post;dur=0.999\r\n");
}

TEST_CASE("PredictionJson: a list that is written in pieces has the same text", "[app][unit]") {
  const auto count = GENERATE(0, 1, 2, 7, 100);
  const auto at_once = GENERATE(1, 3, 100, 1000);
  common::DetectionList detections{640, 480, {}};
  common::ClassificationList classes{640, 480, {}};
  for (int i = 0; i < count; ++i) {
    detections.detections.push_back({0, 0.5F, {static_cast<float>(i), 1, 2, 3}});
    classes.classifications.push_back({0, static_cast<float>(i) / 128});
  }
  for (const auto& prediction : {common::Prediction(detections), common::Prediction(classes)}) {
    const auto answer = answer_of(prediction);
    http::Response response;
    begin_prediction(response.body, "m", answer);
    REQUIRE(item_count(*answer.prediction) == static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < item_count(*answer.prediction); i += static_cast<std::size_t>(at_once)) {
      append_items(response.body, answer, i, static_cast<std::size_t>(at_once));
    }
    end_prediction(response.body, answer, 5);
    const auto whole = make_prediction("m", answer_of(prediction), 5);
    CHECK(response.body.view() == whole.body.view());
  }
}

// ---- several pictures ----

api::Answers three_answers() {
  api::Answers answers;
  answers.push_back(answer_of(DetectionList{640, 480, {{0, 0.5F, {1, 2, 3, 4}}}}));
  answers.emplace_back();
  answers.back().prediction = common::Error{common::ErrorCode::kInvalidImage, "no picture"};
  answers.push_back(answer_of(DetectionList{10, 20, {}}));
  answers.back().queue_us = 9000;
  return answers;
}

http::Response write_list(api::Answers& answers, std::uint32_t retry_after = 1) {
  http::Response response;
  AnswerWriter writer;
  while (!writer.write_some({"m", answers, retry_after}, true, 70'000, response)) {
  }
  return response;
}

TEST_CASE("AnswerWriter: several pictures have a list of answers in order, and errors among them", "[app][unit]") {
  auto answers = three_answers();
  const auto response = write_list(answers);
  CHECK(response.status == beast_http::status::ok);
  const auto body = parsed_body(response);
  CHECK(body.at("success") == true);
  CHECK(body.at("model") == "m");
  CHECK(body.at("timing_ms") == json::value{{"total", 70.0}});
  const auto& list = body.at("answers").as_array();
  REQUIRE(list.size() == 3);
  CHECK(list[0].at("predictions").as_array().size() == 1);
  CHECK(list[0].at("timing_ms").at("total").to_number<double>() == 22.507);
  CHECK(list[1] == json::parse(R"({"success":false,"error":{"code":"invalid_image","message":"no picture"}})"));
  CHECK(list[2].at("success") == true);
  CHECK(list[2].at("image") == json::value{{"width", 10}, {"height", 20}});
  // The longest time of each stage.
  CHECK(response.fields.view() ==
        "Server-Timing: queue;dur=9.000, decode;dur=1.500, infer;dur=20.001, post;dur=0.999\r\n");
}

TEST_CASE("AnswerWriter: if no picture is answered, the first error gives the status", "[app][unit]") {
  api::Answers answers(2);
  answers[0].prediction = common::Error{common::ErrorCode::kQueueFull, "full"};
  answers[1].prediction = common::Error{common::ErrorCode::kInternal, "a secret"};
  const auto response = write_list(answers, 7);
  CHECK(response.status == beast_http::status::service_unavailable);
  CHECK(response.fields.view().starts_with("Retry-After: 7\r\n"));
  CHECK(response.body.view() ==
        R"({"success":false,"model":"m","answers":[{"success":false,"error":{"code":"queue_full","message":"full"}},)"
        R"({"success":false,"error":{"code":"internal","message":"the server failed on this request"}}],)"
        R"("timing_ms":{"total":70.000}})");
}

TEST_CASE("AnswerWriter: a long list is written in pieces of a bounded size", "[app][unit]") {
  api::Answers answers;
  for (int i = 0; i < 64; ++i) {
    DetectionList list{640, 480, {}};
    list.detections.resize(static_cast<std::size_t>(i) * 37);
    answers.push_back(answer_of(list));
  }
  http::Response response;
  AnswerWriter writer;
  std::size_t size = 0;
  while (!writer.write_some({"m", answers}, true, 1, response)) {
    CHECK(response.body.size() - size < 250 * AnswerWriter::kItemsAtOnce);
    size = response.body.size();
  }
  const auto body = parsed_body(response);
  const auto& list = body.at("answers").as_array();
  REQUIRE(list.size() == 64);
  for (std::size_t i = 0; i < 64; ++i) CHECK(list[i].at("predictions").as_array().size() == i * 37);
}

}  // namespace
}  // namespace yolod::app::api::predict
