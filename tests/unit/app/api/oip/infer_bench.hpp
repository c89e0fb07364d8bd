// Sends inference requests to an InferHandler without a server, and joins the texts of its answers.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "app/api/oip/infer_handler.hpp"
#include "tests/unit/app/api/exchange_driver.hpp"
#include "tests/unit/app/api/model_bench.hpp"

namespace yolod::app::api::oip {

// Returns the element of a BYTES tensor: its length and the text.
inline std::string element(std::string_view text) {
  const auto length = static_cast<std::uint32_t>(text.size());
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + std::string(text);
}

template <typename... Numbers>
std::string bytes_of(Numbers... numbers) {
  std::string bytes;
  (bytes.append(reinterpret_cast<const char*>(&numbers), sizeof numbers), ...);
  return bytes;
}

class InferBench : public api::ModelBench {
 public:
  explicit InferBench(common::ModelConfig settings = api::echo_config(), common::ModelDescription description = {})
      : api::ModelBench(std::move(settings), std::move(description)) {
    model->generation = 3;
  }

  // Sends the body. `json_bytes` is the value of Inference-Header-Content-Length; an empty text leaves the field out.
  // Returns the error, or an empty text if there are calls.
  std::string ask(const std::string& body, const std::string& json_bytes = "", std::size_t budget = 1U << 16U) {
    handler = std::make_unique<InferHandler>(*this, server, regions);
    bool has_piece = false;
    plan = {};
    calls.clear();
    body_ = body;
    head_text_ = "POST /v2/models/echo/infer HTTP/1.1\r\nHost: a\r\n" + fields +
                 (json_bytes.empty() ? "" : "Inference-Header-Content-Length: " + json_bytes + "\r\n") + "\r\n";
    http::RequestHead head;
    REQUIRE_FALSE(reader_.read(boost::asio::buffer(head_text_), head));
    REQUIRE(target_.parse(head.target));
    http::Captures captures{std::string_view(model_name)};
    const access::Caller caller;
    const auto begun = handler->begin({head, target_, captures, began, caller}, plan, response);
    if (!begun) return begun.error().message;
    if (plan.is_answered) return "answered";
    for (;;) {
      const auto done = handler->ready(std::as_bytes(std::span(body_.data(), body_.size())), budget, calls);
      if (!done) return done.error().message;
      if (*done) return {};
      if (handler->piece_bytes() == 0 || has_piece) continue;
      std::string piece(handler->piece_bytes(), '\0');
      has_piece = true;
      for (fills = 1;; ++fills) {
        const auto filled = handler->fill(std::as_bytes(std::span(body_.data(), body_.size())),
                                          std::as_writable_bytes(std::span(piece.data(), piece.size())), budget);
        if (!filled) return filled.error().message;
        if (*filled) break;
      }
      body_ = std::move(piece);
    }
  }
  // Sends JSON and the bytes that follow it.
  std::string ask_binary(const std::string& json, const std::string& bytes) {
    return ask(json + bytes, std::to_string(json.size()));
  }
  [[nodiscard]] std::string content(std::size_t call) const {
    const auto bytes = calls[call].content;
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // Renders these predictions as the answer. Returns the body.
  std::string answer(std::vector<common::Prediction> predictions, std::vector<std::string> labels = {}) {
    common::ModelDescription described;
    described.labels = std::move(labels);
    const auto shared = std::make_shared<const common::ModelDescription>(std::move(described));
    answers.clear();
    answers.resize(predictions.size());
    for (std::size_t i = 0; i < predictions.size(); ++i) {
      answers[i].prediction = std::move(predictions[i]);
      answers[i].model = shared;
    }
    for (pieces = 1; !handler->render({"echo", answers}, response); ++pieces) {
    }
    std::string text(response.body.view());
    for (const auto& part : response.parts) text.append(reinterpret_cast<const char*>(part.data()), part.size());
    return text;
  }

  std::string model_name{"echo"};
  std::string fields;  // more header lines, each with its line break
  common::Clock::time_point began{common::AwakeClock::now()};
  api::Plan plan;
  api::Calls calls;
  api::Answers answers;
  http::Response response;
  std::unique_ptr<InferHandler> handler;
  int pieces{0};
  SharedRegions* regions{nullptr};
  int fills{0};  // the steps in which the body got its values from shared memory

 private:
  std::string head_text_;
  std::string body_;
  http::RequestHeadReader reader_;
  http::RequestTarget target_;
};

inline common::ModelConfig config_of(common::Task task) {
  auto config = api::echo_config();
  config.task = task;
  config.source = common::TorchScriptSource{};
  return config;
}

// Returns the tensors of a classifier: the output, and the best classes with their values.
inline common::TensorList class_tensors(const std::vector<float>& output,
                                        const std::vector<common::Classification>& best) {
  std::vector<std::int32_t> ids;
  std::vector<float> values;
  for (const auto& one : best) {
    ids.push_back(static_cast<std::int32_t>(one.class_id));
    values.push_back(one.probability);
  }
  const auto tensor = [](std::string name, common::ElementType type, const auto& numbers) {
    const auto raw = std::as_bytes(std::span(numbers));
    const std::vector<std::int64_t> shape{static_cast<std::int64_t>(numbers.size())};
    return common::NamedTensor{std::move(name), {type, shape, {raw.begin(), raw.end()}}};
  };
  return {{tensor("output0", common::ElementType::kFloat32, output),
           tensor("class_ids", common::ElementType::kInt32, ids),
           tensor("values", common::ElementType::kFloat32, values)}};
}

inline common::ModelDescription tensor_description() {
  common::ModelDescription description;
  description.tensor_inputs = {"x", "y"};
  return description;
}

}  // namespace yolod::app::api::oip
