// Implements the routes of Roboflow's inference server that answer about pictures:
//
//   POST /{project}/{version}        one picture: the body in base64, or the file `file` of a form
//   POST /infer/object_detection     one or several pictures in base64, in JSON
//
// A model of Roboflow is a project and a version. Here an alias or the project names the model, and the version chooses
// nothing. A worker decodes base64. The JSON may have the client's API key, so its body is private (Handler). The forms
// come from inference/core/interfaces/http/ in github.com/roboflow/inference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "app/api/handler.hpp"
#include "app/api/roboflow/infer_request.hpp"
#include "app/http/multipart.hpp"
#include "app/serving/models.hpp"
#include "common/clock.hpp"
#include "common/config/protocol_config.hpp"
#include "common/domain/options.hpp"
#include "common/json_splitter.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api::roboflow {

class InferenceHandler final : public api::Handler, public common::Recycled<InferenceHandler> {
 public:
  enum class Kind {
    kPath,  // the path and the query have the model and the options
    kJson,  // the body has them
  };
  // The references outlive this object. `config` may change between requests.
  InferenceHandler(const serving::Models& models, const common::RoboflowConfig& config, Kind kind)
      : models_(models), config_(config), kind_(kind) {}

  [[nodiscard]] common::Outcome<void> begin(const http::RequestView& request, api::Plan& plan,
                                            http::Response& response) override;
  [[nodiscard]] bool may_have_key() const override { return kind_ == Kind::kJson; }
  [[nodiscard]] std::string_view body_key() const override { return key_; }
  [[nodiscard]] common::Outcome<bool> ready(std::span<const std::byte> body, std::size_t budget_bytes,
                                            api::Calls& calls) override;
  [[nodiscard]] bool render(const Result& result, http::Response& response) override;
  void write_error(const common::Error& error, std::uint32_t retry_after_seconds, http::Response& response) override;

 private:
  // Sets the model of the plan.
  [[nodiscard]] common::Outcome<void> find_model(std::string_view id);
  // Makes the options for that model.
  [[nodiscard]] common::Outcome<void> make_options();
  [[nodiscard]] common::Outcome<bool> ready_json(std::span<const std::byte> body, std::size_t budget_bytes,
                                                 api::Calls& calls);
  [[nodiscard]] bool is_wanted(std::string_view label) const;

  const serving::Models& models_;
  const common::RoboflowConfig& config_;
  const Kind kind_;
  common::Clock::time_point began_;
  api::Plan* plan_{nullptr};
  InferRequest request_;
  std::string key_;  // of the JSON
  common::PredictionOptions options_;
  std::string boundary_;  // empty: the body is base64
  std::unique_ptr<http::MultipartScanner> form_;
  std::optional<common::JsonSplitter> splitter_;
  // The place in the answer: the picture, and the object of it.
  std::size_t next_answer_{0};
  std::optional<std::size_t> next_object_;
  bool has_object_{false};  // whether the present picture has one already
};

}  // namespace yolod::app::api::roboflow
