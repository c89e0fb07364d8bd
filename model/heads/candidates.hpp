// Selects the candidates that enter NMS from the raw head.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace yolod::model::heads {

// Centre and size as fractions of the picture, not clipped: Darknet's NMS compares such boxes.
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

// The position of the picture in the network's input, in the units of the head's boxes.
struct Frame {
  float x{0};
  float y{0};
  float width{1};
  float height{1};
};

struct Selection {
  float confidence{0.25F};
  bool multi_label{true};                    // true: every class above the threshold; false: only the best class
  std::span<const std::uint8_t> class_kept;  // indexed by class; empty: all classes
};

// The layout of a head's output for one image; each function below reads one layout.
enum class HeadLayout { kByObjectness, kByScores, kFinal };

// The most candidates that a function returns, best first. The limit bounds the cost of NMS at a low threshold.
inline constexpr std::size_t kMaxCandidates = 30'000;

// `head` is [rows, row_length] as in CompiledNetwork. Both the objectness and the objectness times the class score
// must be above the threshold, as in Darknet's get_yolo_detections(). The best candidate comes first; equal
// candidates keep the head's order.
[[nodiscard]] std::vector<Candidate> select_candidates(std::span<const float> head, std::size_t row_length,
                                                       const Frame& frame, const Selection& selection);

// `head` is [4 + classes, candidates] without objectness: x, y, w, h of all candidates, then the scores of each
// class, as in the output of Ultralytics' YOLOv8 and later. If `class_kept` is given, it has one element per class.
[[nodiscard]] std::vector<Candidate> select_by_scores(std::span<const float> head, std::size_t candidate_count,
                                                      const Frame& frame, const Selection& selection);

// `head` is [rows, 6]: x_min, y_min, x_max, y_max, confidence, class. It is the output of a network with its own
// suppression (YOLOv10, or an export with NMS), so no NMS may follow. Rows whose class is not below `class_count` are
// padding.
[[nodiscard]] std::vector<Candidate> select_final(std::span<const float> head, std::size_t class_count,
                                                  const Frame& frame, const Selection& selection);

}  // namespace yolod::model::heads
