// Implements POST /v2/models/M/infer. The body has one of three forms:
//
//   JSON            all values are in the JSON
//   JSON and bytes  Inference-Header-Content-Length says how long the JSON is; the values of tensors follow it
//   raw             Inference-Header-Content-Length: 0; the body is the model's only input
//
// Each form may be compressed (Content-Encoding). Workers decompress the body. For a model on pictures, the front-end
// decompresses the JSON in front of the bytes, which is bounded, to find out which pictures there are. A worker reads
// the whole request to a model on tensors, and its answer has the header of the request.
//
// Each picture is a call. A request to a model on tensors is one call, whose worker reads the tensors. The front-end
// parses only the header of the request (common/json_splitter).
//
// Inputs and outputs may be in shared memory of the client (shared_tensors).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "app/api/answer_packer.hpp"
#include "app/api/content_coding.hpp"
#include "app/api/handler.hpp"
#include "app/api/oip/infer_answer.hpp"
#include "app/api/oip/model_view.hpp"
#include "app/api/oip/packed_head.hpp"
#include "app/api/oip/shared_tensors.hpp"
#include "app/serving/models.hpp"
#include "common/clock.hpp"
#include "common/config/server_config.hpp"
#include "common/json_splitter.hpp"
#include "common/oip/infer_request.hpp"
#include "common/recycled.hpp"

namespace yolod::app::api::oip {

// The class is large, because the forms of a body and the kinds of models combine: each check concerns several of them.
class InferHandler final : public api::Handler, public common::Recycled<InferHandler> {
 public:
  // The arguments outlive this object. Without `regions` no tensor may be in shared memory.
  InferHandler(const serving::Models& models, const common::ServerConfig& server, SharedRegions* regions = nullptr)
      : models_(models), server_(server), shared_(regions) {}

  [[nodiscard]] common::Outcome<void> begin(const http::RequestView& request, api::Plan& plan,
                                            http::Response& response) override;
  [[nodiscard]] common::Outcome<bool> ready(std::span<const std::byte> body, std::size_t budget_bytes,
                                            api::Calls& calls) override;
  [[nodiscard]] std::uint64_t piece_bytes() const override { return shared_.piece_bytes(); }
  [[nodiscard]] common::Outcome<bool> fill(std::span<const std::byte> body, std::span<std::byte> piece,
                                           std::size_t budget_bytes) override;
  [[nodiscard]] bool is_waiting() const override { return copy().is_waiting(); }
  void wait(http::Exchange::Resume done) override { copy().wait(std::move(done)); }
  void client_is_gone() override { copy().leave(); }
  [[nodiscard]] bool render(const Result& result, http::Response& response) override;
  void write_error(const common::Error& error, std::uint32_t retry_after_seconds, http::Response& response) override;

 private:
  using Bytes = std::span<const std::byte>;

  [[nodiscard]] common::Outcome<void> make_calls(Bytes body, Bytes binary, api::Calls& calls);
  [[nodiscard]] common::Outcome<void> make_raw_call(Bytes body, api::Calls& calls);
  // Decompresses the JSON and splits it. Then it makes the calls, or the call of a model on tensors at once.
  [[nodiscard]] common::Outcome<bool> ready_packed(Bytes body, std::size_t budget_bytes, api::Calls& calls);
  [[nodiscard]] common::Outcome<void> make_packed_calls(Bytes body, api::Calls& calls);
  // Checks the options and the outputs that the request names. Sets the urgency of the calls.
  [[nodiscard]] common::Outcome<void> check_request();
  [[nodiscard]] common::Outcome<void> check_inputs() const;
  [[nodiscard]] common::Outcome<void> check_input(const common::oip::InferInput& input) const;
  // Checks the type and the shape of an input that the view knows.
  [[nodiscard]] common::Outcome<void> check_declared(const common::oip::InferInput& input,
                                                     const TensorView& known) const;
  // Checks the counts of rows of a model whose requests are computed together. REQUIRES: check_input() accepted all.
  [[nodiscard]] common::Outcome<void> check_rows() const;
  // Returns how many rows the request has, or 1 if its model does not count rows. REQUIRES: check_inputs() accepted it.
  [[nodiscard]] std::uint32_t row_count() const;
  // Returns how many rows a raw request with so many bytes has that is not compressed. A worker checks the size.
  [[nodiscard]] std::uint32_t rows_of_raw(std::uint64_t bytes) const;
  [[nodiscard]] common::Outcome<void> add_planes(Bytes binary, api::Calls& calls) const;
  [[nodiscard]] common::Outcome<void> add_pictures(Bytes binary, api::Calls& calls) const;
  [[nodiscard]] common::Outcome<void> add_binary_pictures(Bytes binary, std::size_t count, api::Calls& calls) const;
  [[nodiscard]] common::Outcome<void> add_text_pictures(std::size_t count, api::Calls& calls) const;
  [[nodiscard]] common::Outcome<void> check_texts(std::size_t count) const;
  [[nodiscard]] common::Outcome<std::size_t> checked_picture_count() const;
  [[nodiscard]] common::Outcome<std::size_t> checked_plane_count() const;
  // Returns whether the worker answers with tensors.
  [[nodiscard]] bool wants_tensors() const;
  // Returns whether a worker reads the whole request, because the model takes tensors with names.
  [[nodiscard]] bool is_read_by_worker() const;
  // Takes the header of a compressed request out of the answer of a model on tensors.
  [[nodiscard]] common::Outcome<void> take_header(api::Answers& answers);
  // Counts the rows of a compressed tensor without JSON, whose size only the worker knows.
  void count_rows(const api::Answers& answers);

  // The copy between shared memory and this process that is in progress.
  [[nodiscard]] const PieceCopy& copy() const { return answer_ ? answer_->copy() : shared_.copy(); }
  [[nodiscard]] PieceCopy& copy() { return answer_ ? answer_->copy() : shared_.copy(); }

  const serving::Models& models_;
  const common::ServerConfig& server_;
  SharedTensors shared_;
  api::Plan* plan_{nullptr};  // the exchange's, which outlives this object
  common::Clock::time_point began_;
  std::optional<std::uint64_t> json_bytes_;  // of Inference-Header-Content-Length
  ContentCoding body_coding_{ContentCoding::kIdentity};
  ContentCoding answer_coding_{ContentCoding::kIdentity};
  ViewKind view_kind_{ViewKind::kUsual};
  ModelView view_;
  std::optional<PackedHead> packed_head_;
  std::optional<common::JsonSplitter> splitter_;
  common::oip::InferRequest request_;
  common::PredictionOptions options_;
  std::optional<InferAnswer> answer_;
  std::optional<AnswerPacker> packer_;
};

}  // namespace yolod::app::api::oip
