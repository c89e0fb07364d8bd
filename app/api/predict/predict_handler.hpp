// Implements POST /predict and PUT /image. The input is a picture or a set of tensors, or several pictures. It is the
// whole body, one or more parts of a form, or base64 in JSON. The answer is one prediction, or a list of them.
//
// The options come in the query. A form may have them as fields, and JSON as members; these replace the options of the
// query. So the model may change when the body is there. Until then the request waits for the model of the query.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "app/api/answer_packer.hpp"
#include "app/api/content_coding.hpp"
#include "app/api/handler.hpp"
#include "app/api/predict/answer_writer.hpp"
#include "app/api/predict/parameters.hpp"
#include "app/http/multipart.hpp"
#include "app/serving/models.hpp"
#include "common/clock.hpp"
#include "common/config/model_config.hpp"
#include "common/json_splitter.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api::predict {

class PredictHandler final : public api::Handler, public common::Recycled<PredictHandler> {
 public:
  // A route's models produce this kind of answer.
  enum class Kind {
    kPredictions,  // POST /predict
    kImages,       // PUT /image
  };
  // A shorter answer is not compressed, because that takes longer than it saves.
  static constexpr std::size_t kLeastPackedBytes = 8 * 1024;

  // `models` outlives this object.
  PredictHandler(const serving::Models& models, Kind kind) : models_(models), kind_(kind) {}

  [[nodiscard]] common::Outcome<void> begin(const http::RequestView& request, api::Plan& plan,
                                            http::Response& response) override;
  [[nodiscard]] common::Outcome<bool> ready(std::span<const std::byte> body, std::size_t budget_bytes,
                                            api::Calls& calls) override;
  [[nodiscard]] bool wants_all_answers() const override { return is_list_; }
  [[nodiscard]] bool render(const Result& result, http::Response& response) override;
  void write_error(const common::Error& error, std::uint32_t retry_after_seconds, http::Response& response) override;

 private:
  // Finds out from the head where the content is in the body.
  [[nodiscard]] common::Outcome<void> read_content_type(const http::RequestHead& head);
  [[nodiscard]] common::Outcome<bool> read_form(std::span<const std::byte> body, std::size_t budget_bytes,
                                                api::Calls& calls);
  [[nodiscard]] common::Outcome<bool> read_json(std::span<const std::byte> body, std::size_t budget_bytes,
                                                api::Calls& calls);
  [[nodiscard]] common::Outcome<void> read_object(const boost::json::object& object, api::Calls& calls);
  [[nodiscard]] common::Outcome<void> add_picture(const boost::json::value& number, api::Calls& calls) const;
  // Chooses the model, if the body named one, and checks all that depends on the model.
  [[nodiscard]] common::Outcome<void> settle(std::size_t picture_count);
  // Returns an Error if this route does not serve the model's task.
  [[nodiscard]] common::Outcome<void> check_route(const common::ModelConfig& model) const;
  // Sets the options that decide whether the answer is a JPEG, a PNG or JSON.
  void choose_answer(const common::ModelConfig& model, std::size_t picture_count);

  const serving::Models& models_;
  const Kind kind_;
  api::Plan* plan_{nullptr};  // the exchange's, which outlives this object
  common::Clock::time_point began_;
  PredictParameters parameters_;
  bool accepts_picture_{false};  // the Accept header ranks a picture above JSON
  ContentCoding answer_coding_{ContentCoding::kIdentity};
  std::optional<std::string> boundary_;  // of multipart/form-data
  std::unique_ptr<http::MultipartScanner> form_;
  bool is_json_{false};
  std::unique_ptr<common::JsonSplitter> json_;
  bool is_list_{false};  // the answer is a list
  AnswerWriter writer_;
  std::unique_ptr<AnswerPacker> packer_;
};

}  // namespace yolod::app::api::predict
