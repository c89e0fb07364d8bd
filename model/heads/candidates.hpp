// From the raw head to the candidates that enter NMS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace yolod::model::heads {

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

// Where the picture lies in the network's input, in the units of the head's boxes.
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

// How a head is laid out for one image: which of the functions below reads it.
enum class HeadLayout { kByObjectness, kByScores, kFinal };

// No more than this many of the best go on: NMS would otherwise be at the mercy of a low threshold.
inline constexpr std::size_t kMaxCandidates = 30'000;

// `head` is [rows, row_length] as in CompiledNetwork. Both objectness and objectness times class score must be above
// the threshold, as in Darknet's get_yolo_detections(). Best first; equal ones in the head's order.
[[nodiscard]] std::vector<Candidate> select_candidates(std::span<const float> head, std::size_t row_length,
                                                       const Frame& frame, const Selection& selection);

// `head` is [4 + classes, candidates], no objectness: x, y, w, h of all candidates, then the scores of each class. The
// output of Ultralytics' YOLOv8 and later. `class_kept`, where given, has as many classes.
[[nodiscard]] std::vector<Candidate> select_by_scores(std::span<const float> head, std::size_t candidate_count,
                                                      const Frame& frame, const Selection& selection);

// `head` is [rows, 6]: x_min, y_min, x_max, y_max, confidence, class. What a network with its own suppression found
// (YOLOv10, or an export with NMS): no NMS is to follow. Rows without a class below `class_count` are padding.
[[nodiscard]] std::vector<Candidate> select_final(std::span<const float> head, std::size_t class_count,
                                                  const Frame& frame, const Selection& selection);

}  // namespace yolod::model::heads
