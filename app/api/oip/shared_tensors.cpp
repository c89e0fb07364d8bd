#include "app/api/oip/shared_tensors.hpp"

#include <algorithm>
#include <cstring>

#include "app/api/oip/oip_error.hpp"

namespace yolod::app::api::oip {
namespace {

using common::Outcome;
using common::oip::InferRequest;

// A piece of an input in shared memory. The event loop copies it once more, which takes less than 0.1 ms.
constexpr std::uint64_t kSharedPieceBytes = 256ULL * 1024;

}  // namespace

void SharedTensors::begin(const access::Caller& caller) {
  if (is_on()) owner_ = region_owner_of(caller);
}

Outcome<void> SharedTensors::plan_inputs(const InferRequest& request, const Body& body, std::uint64_t most_bytes,
                                         std::string_view model) {
  std::uint64_t at = body.json_bytes;
  std::uint64_t all = body.json_bytes;
  parts_.push_back({0, body.json_bytes});
  for (const auto& input : request.inputs) {
    if (input.data) continue;
    if (!input.binary_bytes) {
      return bad_request("input " + in_quotes(input.name) + " must have 'data' or the parameter 'binary_data_size'");
    }
    Part part{at, *input.binary_bytes};
    if (input.shared) {
      auto shared = regions_->find(owner_, input.shared->region, input.shared->offset, input.shared->bytes);
      if (!shared) return shared.error();
      part.shared = *std::move(shared);
    } else if (*input.binary_bytes > body.bytes.size() - at) {
      return bad_request("unexpected end of the input data for model " + in_quotes(model));
    } else {
      at += *input.binary_bytes;
    }
    all += part.bytes;  // cannot overflow: both are at most as large as a file may be
    if (all > most_bytes) {
      return bad_request("the request and its inputs in shared memory have more than the " +
                         std::to_string(most_bytes) + " bytes that are allowed");
    }
    parts_.push_back(std::move(part));
  }
  if (at != body.bytes.size()) return bad_request("unexpected additional input data for model " + in_quotes(model));
  piece_bytes_ = all;
  return {};
}

Outcome<bool> SharedTensors::fill(std::span<const std::byte> body, std::span<std::byte> piece,
                                  std::size_t budget_bytes) {
  std::uint64_t left = budget_bytes;
  for (; next_part_ < parts_.size(); ++next_part_, part_at_ = 0) {
    const Part& part = parts_[next_part_];
    // The size of a copy from shared memory must not depend on the rest of the budget, because the copy goes on in a
    // later call.
    const std::uint64_t most = part.shared ? kSharedPieceBytes : left;
    const std::uint64_t bytes = std::min(most, part.bytes - part_at_);
    const auto to = piece.subspan(filled_bytes_, bytes);
    if (!part.shared) {
      if (bytes != 0) std::memcpy(to.data(), body.data() + part.body_offset + part_at_, bytes);
    } else {
      const auto copied = copy_.read(*part.shared, part_at_, to);
      if (!copied || !*copied) return copied;
    }
    part_at_ += bytes;
    filled_bytes_ += bytes;
    left -= std::min(left, bytes);
    if (part_at_ < part.bytes) return false;
  }
  is_filled_ = true;
  return true;
}

Outcome<void> SharedTensors::find_outputs(const InferRequest& request) {
  outputs_.clear();
  for (const auto& output : request.outputs) {
    if (!output.shared) continue;
    auto part = regions_->find(owner_, output.shared->region, output.shared->offset, output.shared->bytes);
    if (!part) return part.error();
    outputs_.push_back({output.name, output.shared->region, *std::move(part)});
  }
  return {};
}

}  // namespace yolod::app::api::oip
