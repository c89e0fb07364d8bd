// Implements POST /predict and PUT /image. The input is one picture or one set of tensors. It is the whole body, a
// part of a form, or base64 in JSON. The answer is one prediction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "app/api/handler.hpp"
#include "app/http/multipart.hpp"
#include "app/serving/models.hpp"
#include "common/clock.hpp"
#include "common/config/model_config.hpp"
#include "common/domain/options.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api::predict {

class PredictHandler final : public api::Handler, public common::Recycled<PredictHandler> {
 public:
  // A route's models produce this kind of answer.
  enum class Kind {
    kPredictions,  // POST /predict
    kImages,       // PUT /image
  };
  // `models` outlives this object.
  PredictHandler(const serving::Models& models, Kind kind) : models_(models), kind_(kind) {}

  [[nodiscard]] common::Outcome<void> begin(const http::RequestView& request, api::Plan& plan,
                                            http::Response& response) override;
  [[nodiscard]] common::Outcome<bool> ready(std::span<const std::byte> body, std::size_t budget_bytes,
                                            api::Calls& calls) override;
  [[nodiscard]] bool render(const Result& result, http::Response& response) override;
  void write_error(const common::Error& error, std::uint32_t retry_after_seconds, http::Response& response) override;

 private:
  // Returns an Error if this route does not serve the model's task.
  [[nodiscard]] common::Outcome<void> check_route(const common::ModelConfig& model) const;
  // Finds out from the head where the content is in the body.
  [[nodiscard]] common::Outcome<void> read_content_type(const http::RequestHead& head,
                                                        const common::ModelConfig& model);

  const serving::Models& models_;
  const Kind kind_;
  common::Clock::time_point began_;
  common::PredictionOptions options_;
  common::ContentKind content_kind_{common::ContentKind::kFile};
  std::optional<std::string> boundary_;  // of multipart/form-data
  std::unique_ptr<http::MultipartScanner> form_;
  std::optional<std::size_t> written_items_;  // set while a long list is written in pieces
};

}  // namespace yolod::app::api::predict
