#include "model/eval/yolo_labels.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "common/text.hpp"

namespace yolod::model::eval {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::size_t kColumns = 5;
// A box may extend beyond the picture, but not be a whole picture away from it.
constexpr float kFarthest = 2;

std::string shortest(float value) {
  std::array<char, 48> text{};
  const auto [end, status] = std::to_chars(text.data(), text.data() + text.size(), value);
  return status == std::errc{} ? std::string(text.data(), end) : "?";
}

// Removes the next word from `line` and returns it; returns an empty text at the end.
std::string_view next_word(std::string_view& line) {
  line = common::trimmed(line);
  const auto word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

std::optional<float> parse_number(std::string_view word) {
  float value = 0;
  const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (status != std::errc{} || end != word.data() + word.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> parse_class(std::string_view word) {
  std::uint32_t value = 0;
  const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (status != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

Error wrong(const std::string& what) { return {ErrorCode::kInvalidParameter, what}; }

}  // namespace

Outcome<Truth> parse_yolo_label(std::string_view line, std::size_t class_count) {
  const auto class_word = next_word(line);
  const auto class_id = parse_class(class_word);
  if (!class_id) return wrong("\"" + common::printable(class_word, 40) + "\": a class number is wanted");
  if (*class_id >= class_count)
    return wrong("class " + std::to_string(*class_id) + ": there are " + std::to_string(class_count) +
                 ", counted from 0");
  std::array<float, kColumns - 1> box{};
  for (auto& value : box) {
    const auto word = next_word(line);
    if (word.empty()) return wrong("fewer than 5 values: class cx cy w h");
    const auto number = parse_number(word);
    if (!number) return wrong("\"" + common::printable(word, 40) + "\": a number is wanted");
    value = *number;
  }
  if (!common::trimmed(line).empty()) return wrong("more than 5 values: boxes are wanted, class cx cy w h");
  const auto [x, y, width, height] = box;
  if (width < 0 || height < 0) return wrong("a box of negative size");
  if (std::any_of(box.begin(), box.end(), [](float value) { return std::abs(value) > kFarthest; })) {
    return wrong("a box at " + shortest(x) + ", " + shortest(y) + " of " + shortest(width) + " x " + shortest(height) +
                 ", as in pixels: its centre and size must be fractions of the picture, 0 to 1");
  }
  return Truth{*class_id, {x - width / 2, y - height / 2, x + width / 2, y + height / 2}};
}

void for_each_label_line(std::string_view text,
                         const std::function<bool(std::size_t number, std::string_view line)>& take) {
  std::size_t number = 0;
  text = common::without_byte_order_mark(text);
  while (!text.empty()) {
    const auto newline = text.find('\n');
    const auto line = common::trimmed(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    ++number;
    if (!line.empty() && !take(number, line)) return;
  }
}

Outcome<std::vector<Truth>> parse_yolo_labels(std::string_view text, std::size_t class_count,
                                              std::string_view source_name) {
  std::vector<Truth> truths;
  std::optional<Error> mistake;
  for_each_label_line(text, [&](std::size_t number, std::string_view line) {
    const auto truth = parse_yolo_label(line, class_count);
    if (truth) {
      truths.push_back(*truth);
    } else {
      mistake = wrong(std::string(source_name) + ":" + std::to_string(number) + ": " + truth.error().message);
    }
    return truth.ok();
  });
  if (mistake) return std::move(*mistake);
  return truths;
}

}  // namespace yolod::model::eval
