// From the raw head to the candidates that enter NMS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace yolod::model::detect {

// Centre and size as fractions of the picture, not clipped to it: what Darknet compares in NMS.
struct RelativeBox {
  float x{0};
  float y{0};
  float width{0};
  float height{0};
};

struct Candidate {
  RelativeBox box;
  float confidence{0};  // objectness times class score
  std::uint32_t class_id{0};
};

// Where the picture lies in the network's input, in its pixels.
struct Frame {
  float x{0};
  float y{0};
  float width{1};
  float height{1};
};

struct Selection {
  float confidence{0.25F};
  bool multi_label{true};                    // every class above the threshold, or the best alone
  std::span<const std::uint8_t> class_kept;  // by class; empty: all
};

// No more than this many of the best go on: NMS would otherwise be at the mercy of a low threshold.
inline constexpr std::size_t kMaxCandidates = 30'000;

// `head` is [rows, row_length] as in CompiledNetwork. Both objectness and objectness times class score must be above
// the threshold, as in Darknet's get_yolo_detections(). Best first; equal ones in the head's order.
[[nodiscard]] std::vector<Candidate> select_candidates(std::span<const float> head, std::size_t row_length,
                                                       const Frame& frame, const Selection& selection);

}  // namespace yolod::model::detect
