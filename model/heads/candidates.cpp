#include "model/heads/candidates.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace yolod::model::heads {
namespace {

constexpr std::size_t kBoxValues = 4;
constexpr std::size_t kObjectness = 4;
constexpr std::size_t kFirstClass = 5;

// The row and class of a candidate, before its box is computed.
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

bool is_kept(const Selection& selection, std::size_t class_id) {
  return selection.class_kept.empty() || selection.class_kept[class_id] != 0;
}

// The values are x, y, w, h in the head's units.
using BoxValues = std::array<float, kBoxValues>;

bool is_finite(const BoxValues& box) {
  return std::all_of(box.begin(), box.end(), [](float value) { return std::isfinite(value); });
}

// Keeps the best hits, best first, up to the limit, and calls `box_of` for the rows of these only.
template <typename BoxOf>
std::vector<Candidate> to_candidates(std::vector<Hit> hits, const Frame& frame, BoxOf box_of) {
  if (hits.size() > kMaxCandidates) {
    std::nth_element(hits.begin(), hits.begin() + kMaxCandidates, hits.end(), better);
    hits.resize(kMaxCandidates);
  }
  std::sort(hits.begin(), hits.end(), better);

  std::vector<Candidate> candidates;
  candidates.reserve(hits.size());
  for (const auto& hit : hits) {
    const auto [x, y, width, height] = box_of(hit.row);
    const RelativeBox box{(x - frame.x) / frame.width, (y - frame.y) / frame.height, width / frame.width,
                          height / frame.height};
    candidates.push_back({box, hit.confidence, hit.class_id});
  }
  return candidates;
}

}  // namespace

std::vector<Candidate> select_candidates(std::span<const float> head, std::size_t row_length, const Frame& frame,
                                         const Selection& selection) {
  std::vector<Hit> hits;
  const auto rows = head.size() / row_length;
  for (std::size_t r = 0; r < rows; ++r) {
    const auto row = head.subspan(r * row_length, row_length);
    // Almost every row ends here, so class scores are read only for rows that may be objects.
    if (!(row[kObjectness] > selection.confidence)) continue;
    const bool finite_box =
        std::all_of(row.begin(), row.begin() + kBoxValues, [](float v) { return std::isfinite(v); });
    if (finite_box) collect_row(row, static_cast<std::uint32_t>(r), selection, hits);
  }
  return to_candidates(std::move(hits), frame, [&](std::size_t r) {
    const auto row = head.subspan(r * row_length, kBoxValues);
    return BoxValues{row[0], row[1], row[2], row[3]};
  });
}

std::vector<Candidate> select_by_scores(std::span<const float> head, std::size_t candidate_count, const Frame& frame,
                                        const Selection& selection) {
  if (candidate_count == 0) return {};
  const auto box_of = [&](std::size_t i) {
    return BoxValues{head[i], head[candidate_count + i], head[2 * candidate_count + i], head[3 * candidate_count + i]};
  };
  // Scans class by class, in the order of the scores in memory.
  std::vector<Hit> hits;
  std::vector<Hit> best;
  if (!selection.multi_label) best.assign(candidate_count, {selection.confidence, 0, 0});
  const auto class_count = head.size() / candidate_count - kBoxValues;
  for (std::size_t c = 0; c < class_count; ++c) {
    if (!is_kept(selection, c)) continue;
    const auto scores = head.subspan((kBoxValues + c) * candidate_count, candidate_count);
    for (std::size_t i = 0; i < candidate_count; ++i) {
      const Hit hit{scores[i], static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(c)};
      if (!(hit.confidence > selection.confidence)) continue;
      if (selection.multi_label) {
        hits.push_back(hit);
      } else if (hit.confidence > best[i].confidence) {
        best[i] = hit;
      }
    }
  }
  for (const auto& hit : best) {
    if (hit.confidence > selection.confidence) hits.push_back(hit);
  }
  std::erase_if(hits, [&](const Hit& hit) { return !is_finite(box_of(hit.row)); });
  return to_candidates(std::move(hits), frame, box_of);
}

std::vector<Candidate> select_final(std::span<const float> head, std::size_t class_count, const Frame& frame,
                                    const Selection& selection) {
  constexpr std::size_t kRowLength = 6;
  const auto box_of = [&](std::size_t r) {
    const auto row = head.subspan(r * kRowLength, kRowLength);
    return BoxValues{(row[0] + row[2]) / 2, (row[1] + row[3]) / 2, row[2] - row[0], row[3] - row[1]};
  };
  std::vector<Hit> hits;
  for (std::size_t r = 0; r < head.size() / kRowLength; ++r) {
    const float confidence = head[r * kRowLength + 4];
    const float class_value = head[r * kRowLength + 5];
    if (!(confidence > selection.confidence) || !std::isfinite(confidence)) continue;
    if (!(class_value >= 0 && class_value < static_cast<float>(class_count))) continue;
    const auto class_id = static_cast<std::uint32_t>(class_value);
    if (!is_kept(selection, class_id) || !is_finite(box_of(r))) continue;
    hits.push_back({confidence, static_cast<std::uint32_t>(r), class_id});
  }
  return to_candidates(std::move(hits), frame, box_of);
}

}  // namespace yolod::model::heads
