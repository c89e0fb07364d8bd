#include "model/eval/yolo_labels.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

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

}  // namespace

Outcome<std::vector<Truth>> parse_yolo_labels(std::string_view text, std::size_t class_count,
                                              std::string_view source_name) {
  std::vector<Truth> truths;
  std::size_t line_number = 0;
  const auto wrong = [&](const std::string& what) {
    return Error{ErrorCode::kInvalidParameter,
                 std::string(source_name) + ":" + std::to_string(line_number) + ": " + what};
  };
  text = common::without_byte_order_mark(text);
  while (!text.empty()) {
    const auto newline = text.find('\n');
    auto line = common::trimmed(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    ++line_number;
    if (line.empty()) continue;

    const auto class_word = next_word(line);
    const auto class_id = parse_class(class_word);
    if (!class_id) return wrong("\"" + common::printable(class_word, 40) + "\" is not a class number");
    if (*class_id >= class_count) {
      return wrong("class " + std::to_string(*class_id) + ", but the model has " + std::to_string(class_count));
    }
    std::array<float, kColumns - 1> box{};
    for (auto& value : box) {
      const auto word = next_word(line);
      if (word.empty()) return wrong("fewer than 5 values: class cx cy w h");
      const auto number = parse_number(word);
      if (!number) return wrong("\"" + common::printable(word, 40) + "\" is not a number");
      value = *number;
    }
    if (!common::trimmed(line).empty()) return wrong("more than 5 values: only class cx cy w h is allowed");
    const auto [x, y, width, height] = box;
    if (width < 0 || height < 0) return wrong("a box of negative size");
    if (std::any_of(box.begin(), box.end(), [](float value) { return std::abs(value) > kFarthest; })) {
      return wrong("a box at " + shortest(x) + ", " + shortest(y) + " of " + shortest(width) + " x " +
                   shortest(height) + ", as in pixels: its centre and size must be fractions of the picture, 0 to 1");
    }
    truths.push_back({*class_id, {x - width / 2, y - height / 2, x + width / 2, y + height / 2}});
  }
  return truths;
}

}  // namespace yolod::model::eval
