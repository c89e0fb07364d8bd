// Implements POST /v2/models/M/infer. The body has one of three forms:
//
//   JSON            all values are in the JSON
//   JSON and bytes  Inference-Header-Content-Length says how long the JSON is; the values of tensors follow it
//   raw             Inference-Header-Content-Length: 0; the body is the model's only input
//
// Each picture is a call. A request to a model on tensors is one call, whose worker reads the tensors. The front-end
// parses only the header of the request (common/oip/json_splitter).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "app/api/handler.hpp"
#include "app/api/oip/infer_answer.hpp"
#include "app/api/oip/model_view.hpp"
#include "app/serving/models.hpp"
#include "common/clock.hpp"
#include "common/oip/infer_request.hpp"
#include "common/oip/json_splitter.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api::oip {

class InferHandler final : public api::Handler, public common::Recycled<InferHandler> {
 public:
  // `models` outlives this object.
  explicit InferHandler(const serving::Models& models) : models_(models) {}

  [[nodiscard]] common::Outcome<void> begin(const http::RequestView& request, api::Plan& plan,
                                            http::Response& response) override;
  [[nodiscard]] common::Outcome<bool> ready(std::span<const std::byte> body, std::size_t budget_bytes,
                                            api::Calls& calls) override;
  [[nodiscard]] bool render(const Result& result, http::Response& response) override;
  void write_error(const common::Error& error, std::uint32_t retry_after_seconds, http::Response& response) override;

 private:
  using Bytes = std::span<const std::byte>;

  [[nodiscard]] common::Outcome<void> make_calls(Bytes body, Bytes binary, api::Calls& calls);
  [[nodiscard]] common::Outcome<void> make_raw_call(Bytes body, api::Calls& calls);
  // Checks the options and the outputs that the request names. Sets the urgency of the calls.
  [[nodiscard]] common::Outcome<void> check_request();
  [[nodiscard]] common::Outcome<void> check_inputs() const;
  [[nodiscard]] common::Outcome<void> add_pictures(Bytes binary, api::Calls& calls) const;
  [[nodiscard]] common::Outcome<void> add_binary_pictures(Bytes binary, std::size_t count, api::Calls& calls) const;
  [[nodiscard]] common::Outcome<void> add_text_pictures(std::size_t count, api::Calls& calls) const;

  const serving::Models& models_;
  api::Plan* plan_{nullptr};  // the exchange's, which outlives this object
  common::Clock::time_point began_;
  std::optional<std::uint64_t> json_bytes_;  // of Inference-Header-Content-Length
  ModelView view_;
  std::optional<common::oip::JsonSplitter> splitter_;
  common::oip::InferRequest request_;
  common::PredictionOptions options_;
  std::optional<InferAnswer> answer_;
};

}  // namespace yolod::app::api::oip
