// Implements the routes of DeepStack and CodeProject.AI that answer about a picture:
//
//   POST /v1/vision/detection, /v1/vision/custom          the objects that a detector finds
//   POST /v1/vision/custom/{model}                        the same, with a model by name or alias
//   POST /v1/vision/scene                                 the most probable class of a classifier
//   POST /v1/vision/enhance                               the picture that a model makes, as base64
//
// The request is a form with the file `image` and the texts `min_confidence` and `api_key`. CodeProject.AI also takes
// min_confidence from the query. The parts may have any order, so the whole form is read before the request is judged.
// deepstack_error.hpp names the sources of the protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "app/api/handler.hpp"
#include "app/http/multipart.hpp"
#include "app/serving/models.hpp"
#include "common/clock.hpp"
#include "common/config/protocol_config.hpp"
#include "common/domain/options.hpp"
#include "common/domain/task.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api::deepstack {

class VisionHandler final : public api::Handler, public common::Recycled<VisionHandler> {
 public:
  enum class Kind { kDetection, kScene, kEnhance };
  // The references outlive this object. `config` may change between requests.
  VisionHandler(const serving::Models& models, const common::DeepStackConfig& config, Kind kind)
      : models_(models), config_(config), kind_(kind) {}

  [[nodiscard]] common::Outcome<void> begin(const http::RequestView& request, api::Plan& plan,
                                            http::Response& response) override;
  [[nodiscard]] bool may_have_key() const override { return !boundary_.empty(); }
  [[nodiscard]] std::string_view body_key() const override { return key_; }
  [[nodiscard]] common::Outcome<bool> ready(std::span<const std::byte> body, std::size_t budget_bytes,
                                            api::Calls& calls) override;
  [[nodiscard]] bool render(const Result& result, http::Response& response) override;
  void write_error(const common::Error& error, std::uint32_t retry_after_seconds, http::Response& response) override;

 private:
  // Finds the model that the path means. If the path names no model, `name` is empty.
  [[nodiscard]] common::Outcome<std::shared_ptr<serving::ServedModel>> find_model(std::string_view name) const;
  // Reads min_confidence. An empty text means the default.
  [[nodiscard]] common::Outcome<void> read_confidence(std::string_view text);

  const serving::Models& models_;
  const common::DeepStackConfig& config_;
  const Kind kind_;
  common::Clock::time_point began_;
  common::PredictionOptions options_;
  std::string boundary_;  // empty: the body is no form
  std::string_view key_;  // the part api_key, in the body
  std::unique_ptr<http::MultipartScanner> form_;
  std::optional<std::size_t> written_bytes_;  // of a picture; set while it is written in pieces
};

}  // namespace yolod::app::api::deepstack
