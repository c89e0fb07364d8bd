#include "model/eval/label_check.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <tuple>

#include "model/eval/yolo_labels.hpp"

namespace yolod::model::eval {
namespace {

// Rounded coordinates reach over the edge by less.
constexpr float kTolerance = 0.01F;

bool reaches_out(const common::Box& box) {
  return box.x_min < -kTolerance || box.y_min < -kTolerance || box.x_max > 1 + kTolerance || box.y_max > 1 + kTolerance;
}

std::string outside(const common::Box& box) {
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(),
                "the box reaches out of the picture: it lies from %.3f to %.3f across and from %.3f to %.3f down",
                static_cast<double>(box.x_min), static_cast<double>(box.x_max), static_cast<double>(box.y_min),
                static_cast<double>(box.y_max));
  return text.data();
}

// Returns the mistake in a label with correct syntax, or an empty text.
std::string mistake_of(const Truth& truth) {
  if (!(truth.box.x_max > truth.box.x_min) || !(truth.box.y_max > truth.box.y_min)) return "the box has no area";
  return reaches_out(truth.box) ? outside(truth.box) : std::string();
}

}  // namespace

std::vector<LabelMistake> label_mistakes(std::string_view text, std::size_t class_count) {
  std::vector<LabelMistake> mistakes;
  std::map<std::tuple<std::uint32_t, float, float, float, float>, std::size_t> first_lines;
  std::size_t labels = 0;
  for_each_label_line(text, [&](std::size_t number, std::string_view line) {
    ++labels;
    const auto truth = parse_yolo_label(line, class_count);
    if (!truth) {
      mistakes.push_back({number, truth.error().message});
      return true;
    }
    if (auto mistake = mistake_of(*truth); !mistake.empty()) mistakes.push_back({number, std::move(mistake)});
    const auto& box = truth->box;
    const auto [first, is_new] =
        first_lines.try_emplace({truth->class_id, box.x_min, box.y_min, box.x_max, box.y_max}, number);
    if (!is_new) mistakes.push_back({number, "the same box as in line " + std::to_string(first->second)});
    return true;
  });
  if (labels == 0)
    mistakes.push_back({1, "there is no label in the file; a picture without objects needs no label file"});
  return mistakes;
}

}  // namespace yolod::model::eval
