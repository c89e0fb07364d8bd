// Splits JSON for the fuzz targets, and checks what every split must have.
#pragma once

#include <optional>
#include <string_view>

#include "common/json_splitter.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace yolod::fuzz {

[[nodiscard]] inline bool is_within(std::string_view part, std::string_view text) {
  return part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size();
}

// Returns whether the text was split.
[[nodiscard]] inline bool split_in_steps(common::JsonSplitter& splitter, std::size_t text_bytes, std::size_t budget) {
  for (std::size_t steps = 0;; ++steps) {
    require(steps <= text_bytes + 1);
    const auto done = splitter.step(budget);
    if (!done) {
      require_one_line(done.error(), common::ErrorCode::kBadRequest);
      return false;
    }
    if (*done) return true;
  }
}

// Splits the text by the rule. Returns nothing if it cannot be split. The size of a step, `budget`, must not change the
// result.
[[nodiscard]] inline std::optional<common::JsonSplitter> split_by(const common::JsonSplitter::Rule& rule,
                                                                  std::string_view text, std::size_t budget = 3) {
  using common::JsonSplitter;
  JsonSplitter whole(text, JsonSplitter::End::kOfText, rule);
  JsonSplitter stepped(text, JsonSplitter::End::kOfText, rule);
  const bool good = split_in_steps(whole, text.size(), text.size());
  require(split_in_steps(stepped, text.size(), budget) == good);
  if (!good) return std::nullopt;
  require(whole.skeleton() == stepped.skeleton());
  require(whole.skeleton().size() <= JsonSplitter::kMostSkeletonBytes);
  require(whole.values().size() == stepped.values().size() && whole.values().size() <= rule.most_values);
  for (std::size_t i = 0; i < whole.values().size(); ++i) {
    const JsonSplitter::Value& value = whole.values()[i];
    require(value.text.data() == stepped.values()[i].text.data() && value.text == stepped.values()[i].text);
    require(is_within(value.text, text) && value.strings.size() <= JsonSplitter::kMostStrings);
    for (const auto one : value.strings) require(is_within(one, value.text));
  }
  return whole;
}

}  // namespace yolod::fuzz
