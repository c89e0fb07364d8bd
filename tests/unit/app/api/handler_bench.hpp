// Gives tests of a protocol's handler a model, and takes one request through the handler's steps without a server.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/api/handler.hpp"
#include "app/http/request_head.hpp"
#include "app/http/request_target.hpp"
#include "common/awake_clock.hpp"
#include "tests/unit/app/api/model_bench.hpp"

namespace yolod::app::api {

// Returns the config of a model with that task. Only a detector can be the identity model.
inline common::ModelConfig config_with_task(std::string name, common::Task task) {
  auto config = echo_config();
  config.name = std::move(name);
  config.task = task;
  if (task != common::Task::kDetect) config.source = common::TorchScriptSource{};
  return config;
}

inline common::ModelDescription description_with(std::vector<std::string> labels) {
  return {"detect", "cpu", "fp32", 416, 416, false, 0, {}, std::move(labels)};
}

class HandlerBench : public ModelBench {
 public:
  // Gives the handler the body in pieces of a few bytes.
  common::Outcome<bool> ready(std::string text) {
    body_ = std::move(text);
    for (;;) {
      auto done = tested().ready(std::as_bytes(std::span(body_.data(), body_.size())), 16, calls);
      if (!done || *done) return done;
    }
  }
  // Returns the content of the call with that number.
  [[nodiscard]] std::string content(std::size_t call = 0) const {
    REQUIRE(call < calls.size());
    const auto bytes = calls[call].content;
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // Writes the handler's answer to these predictions.
  void render_all(std::vector<common::Prediction> predictions, common::ModelDescription description) {
    Answers answers(predictions.size());
    const auto shared = std::make_shared<const common::ModelDescription>(std::move(description));
    for (std::size_t i = 0; i < predictions.size(); ++i) {
      answers[i].prediction = std::move(predictions[i]);
      answers[i].times = {1500, 20'600, 900};
      answers[i].model = shared;
    }
    while (!tested().render({config.name, answers}, response)) ++turns;
  }
  // Returns the answer, which is JSON.
  [[nodiscard]] boost::json::value answer() const {
    boost::json::error_code failure;
    auto value = boost::json::parse({response.body.view().data(), response.body.size()}, failure);
    CAPTURE(response.body.view());
    REQUIRE_FALSE(failure);
    return value;
  }

  access::Caller caller;
  common::Clock::time_point began{common::AwakeClock::now()};
  Plan plan;
  Calls calls;
  http::Response response;
  int turns{1};  // of the event loop, for the answer

 protected:
  explicit HandlerBench(common::ModelConfig settings) : ModelBench(std::move(settings)) {}

  // Begins the request with that head, without its empty line. `captured` holds the texts of the route.
  common::Outcome<void> begin_request(const std::string& head_text,
                                      std::initializer_list<std::string_view> captured = {}) {
    head_text_ = head_text + "\r\n";
    http::RequestHead head;
    REQUIRE_FALSE(reader_.read(boost::asio::buffer(head_text_), head));
    REQUIRE(target_.parse(head.target));
    http::Captures captures;
    for (const auto part : captured) captures.push_back(part);
    return tested().begin({head, target_, captures, began, caller}, plan, response);
  }

 private:
  [[nodiscard]] virtual Handler& tested() = 0;

  std::string head_text_;
  std::string body_;
  http::RequestHeadReader reader_;
  http::RequestTarget target_;
};

}  // namespace yolod::app::api
