#include "model/detect/candidates.hpp"

#include <algorithm>
#include <cmath>

namespace yolod::model::detect {
namespace {

constexpr std::size_t kBoxValues = 4;
constexpr std::size_t kObjectness = 4;
constexpr std::size_t kFirstClass = 5;

// Which row and class, before boxes are worked out for those that stay.
struct Hit {
  float confidence;
  std::uint32_t row;
  std::uint32_t class_id;
};

bool better(const Hit& a, const Hit& b) {
  if (a.confidence != b.confidence) return a.confidence > b.confidence;
  if (a.row != b.row) return a.row < b.row;
  return a.class_id < b.class_id;
}

void collect_row(std::span<const float> row, std::uint32_t index, const Selection& selection, std::vector<Hit>& hits) {
  const float objectness = row[kObjectness];
  Hit best{selection.confidence, index, 0};
  for (std::size_t c = kFirstClass; c < row.size(); ++c) {
    const auto class_id = static_cast<std::uint32_t>(c - kFirstClass);
    const float confidence = objectness * row[c];
    if (!(confidence > best.confidence)) continue;
    if (!selection.class_kept.empty() && selection.class_kept[class_id] == 0) continue;
    if (selection.multi_label) {
      hits.push_back({confidence, index, class_id});
    } else {
      best = {confidence, index, class_id};
    }
  }
  if (best.confidence > selection.confidence) hits.push_back(best);
}

}  // namespace

std::vector<Candidate> select_candidates(std::span<const float> head, std::size_t row_length, const Frame& frame,
                                         const Selection& selection) {
  std::vector<Hit> hits;
  const auto rows = head.size() / row_length;
  for (std::size_t r = 0; r < rows; ++r) {
    const auto row = head.subspan(r * row_length, row_length);
    // Almost every row ends here: class scores are looked at for what may be an object alone.
    if (!(row[kObjectness] > selection.confidence)) continue;
    const bool finite_box =
        std::all_of(row.begin(), row.begin() + kBoxValues, [](float v) { return std::isfinite(v); });
    if (finite_box) collect_row(row, static_cast<std::uint32_t>(r), selection, hits);
  }
  if (hits.size() > kMaxCandidates) {
    std::nth_element(hits.begin(), hits.begin() + kMaxCandidates, hits.end(), better);
    hits.resize(kMaxCandidates);
  }
  std::sort(hits.begin(), hits.end(), better);

  std::vector<Candidate> candidates;
  candidates.reserve(hits.size());
  for (const auto& hit : hits) {
    const auto row = head.subspan(hit.row * row_length, row_length);
    const RelativeBox box{(row[0] - frame.x) / frame.width, (row[1] - frame.y) / frame.height, row[2] / frame.width,
                          row[3] / frame.height};
    candidates.push_back({box, hit.confidence, hit.class_id});
  }
  return candidates;
}

}  // namespace yolod::model::detect
