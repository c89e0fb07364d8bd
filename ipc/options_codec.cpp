#include "ipc/options_codec.hpp"

#include <span>

#include "ipc/wire.hpp"

namespace yolod::ipc {
namespace {

// The first number has a bit for each option that follows, in this order, and for each option that is a yes.
enum Bit : std::uint32_t {
  kConfidence = 1,
  kIou = 2,
  kMaxDetections = 4,
  kTopK = 8,
  kPng = 16,
  kAnnotate = 32,
  kTensors = 64,
  kPacking = 128,
};
constexpr std::uint32_t kAllBits = 255;
static_assert(sizeof(std::uint16_t) + 5 * sizeof(std::uint32_t) + sizeof(std::uint64_t) <= kMaxOptionsBytes);

}  // namespace

void encode_options(const common::PredictionOptions& options, RequestCell& cell) {
  Writer out(cell.options);
  const auto bits = (options.confidence ? kConfidence : 0U) | (options.iou ? kIou : 0U) |
                    (options.max_detections ? kMaxDetections : 0U) | (options.top_k ? kTopK : 0U) |
                    (options.png ? kPng : 0U) | (options.annotate ? kAnnotate : 0U) |
                    (options.tensors ? kTensors : 0U) | (options.packing ? kPacking : 0U);
  out.number(static_cast<std::uint16_t>(bits));
  if (options.confidence) out.number(*options.confidence);
  if (options.iou) out.number(*options.iou);
  if (options.max_detections) out.number(*options.max_detections);
  if (options.top_k) out.number(*options.top_k);
  if (options.packing) {
    out.number(options.packing->part);
    out.number(options.packing->limit_bytes);
  }
  cell.options_bytes = static_cast<std::uint8_t>(out.written().value_or(0));
}

std::optional<common::PredictionOptions> decode_options(const RequestCell& cell) {
  if (cell.options_bytes > kMaxOptionsBytes) return std::nullopt;
  Reader in(std::span(cell.options).first(cell.options_bytes));
  const auto bits = in.number<std::uint16_t>();
  if ((bits & ~kAllBits) != 0) return std::nullopt;
  common::PredictionOptions options;
  if ((bits & kConfidence) != 0) options.confidence = in.number<float>();
  if ((bits & kIou) != 0) options.iou = in.number<float>();
  if ((bits & kMaxDetections) != 0) options.max_detections = in.number<std::uint32_t>();
  if ((bits & kTopK) != 0) options.top_k = in.number<std::uint32_t>();
  if ((bits & kPacking) != 0) {
    options.packing.emplace();
    options.packing->part = in.number<std::uint32_t>();
    options.packing->limit_bytes = in.number<std::uint64_t>();
  }
  options.png = (bits & kPng) != 0;
  options.annotate = (bits & kAnnotate) != 0;
  options.tensors = (bits & kTensors) != 0;
  if (!in.complete()) return std::nullopt;
  return options;
}

}  // namespace yolod::ipc
