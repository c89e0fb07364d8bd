// The tensors of one request that are in shared memory of its client (shared_regions). Inputs are copied to a piece: a
// new body with the JSON and the values of all inputs, as if the client had sent them. Outputs go to their places
// (infer_answer).
//
// The handler owns it and uses it on the front-end's only thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/access/caller.hpp"
#include "app/api/oip/copy_thread.hpp"
#include "app/api/oip/shared_regions.hpp"
#include "common/oip/infer_request.hpp"
#include "common/outcome.hpp"

namespace yolod::app::api::oip {

// An output whose bytes the client wants in shared memory.
struct SharedOutput {
  std::string name;
  std::string region;
  SharedPart part;
};
using SharedOutputs = std::vector<SharedOutput>;

class SharedTensors {
 public:
  // Without `regions` no tensor may be in shared memory. They outlive this object.
  explicit SharedTensors(SharedRegions* regions)
      : regions_(regions), copy_(regions == nullptr ? nullptr : regions->thread()) {}

  // Begins the request of this client.
  void begin(const access::Caller& caller);
  [[nodiscard]] bool is_on() const { return regions_ != nullptr && regions_->is_on(); }

  struct Body {
    std::span<const std::byte> bytes;
    std::uint64_t json_bytes{0};  // of the JSON at its begin
  };
  // Finds the parts of the piece: the JSON and the values of the inputs, in order. An Error is kBadRequest, or says why
  // a region cannot be used. REQUIRES: is_on().
  [[nodiscard]] common::Outcome<void> plan_inputs(const common::oip::InferRequest& request, const Body& body,
                                                  std::uint64_t most_bytes, std::string_view model);
  [[nodiscard]] std::uint64_t piece_bytes() const { return piece_bytes_; }  // 0 before plan_inputs()
  // Copies about `budget_bytes` more to the piece. Returns true at the end; after false, copy() may wait.
  [[nodiscard]] common::Outcome<bool> fill(std::span<const std::byte> body, std::span<std::byte> piece,
                                           std::size_t budget_bytes);
  [[nodiscard]] bool is_filled() const { return is_filled_; }
  [[nodiscard]] std::uint64_t json_bytes() const { return parts_.front().bytes; }  // REQUIRES: is_filled()

  // Finds the regions of the outputs. REQUIRES: is_on().
  [[nodiscard]] common::Outcome<void> find_outputs(const common::oip::InferRequest& request);
  [[nodiscard]] SharedOutputs take_outputs() { return std::move(outputs_); }

  // The copy from shared memory that is in progress.
  [[nodiscard]] PieceCopy& copy() { return copy_; }
  [[nodiscard]] const PieceCopy& copy() const { return copy_; }
  [[nodiscard]] SharedRegions* regions() const { return regions_; }

 private:
  // A part of the piece: from the client's body, or from shared memory.
  struct Part {
    std::uint64_t body_offset{0};
    std::uint64_t bytes{0};
    std::optional<SharedPart> shared{};
  };

  SharedRegions* const regions_;
  PieceCopy copy_;
  RegionOwner owner_;  // the client of this request
  std::vector<Part> parts_;
  std::uint64_t piece_bytes_{0};
  std::size_t next_part_{0};
  std::uint64_t part_at_{0};  // the bytes of that part that are copied
  std::uint64_t filled_bytes_{0};
  bool is_filled_{false};
  SharedOutputs outputs_;
};

}  // namespace yolod::app::api::oip
