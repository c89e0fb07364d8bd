// A Darknet cfg as sections of options, and typed, bounded access to them.
//
// The format, after AlexeyAB/darknet's read_cfg(): `[section]` lines, `key=value` lines, blank lines, and comments:
// lines that begin with '#', ';' or "//". A value ends at each of these: Darknet reads a number to where it ends.
// Blanks are dropped wherever they are (`1 2` is 12), and where a key is given twice the first one counts, as there. A
// line in a section that has no value is passed over, as there, with a warning.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::model::darknet {

struct CfgOption {
  std::string key;
  std::string value;
  std::size_t line{0};  // counted from 1
};

struct CfgSection {
  std::string type;  // "convolutional", without brackets
  std::size_t line{0};
  std::vector<CfgOption> options;
};

struct Cfg {
  std::string source_name;  // what messages call the file
  std::vector<CfgSection> sections;
  // What was passed over and may have been meant: `source:line: [section]: what`, at most kMaxCfgWarnings.
  std::vector<std::string> warnings{};
};

// More says nothing new, and each looks for the nearest key.
inline constexpr std::size_t kMaxCfgWarnings = 20;

// The largest text that parse_cfg() takes. The largest published cfg has 60 kB.
inline constexpr std::size_t kMaxCfgBytes = std::size_t{1} << 20U;

// Any bytes are safe to pass. An Error (kBadModel) reads `source:line: what is wrong`.
[[nodiscard]] common::Outcome<Cfg> parse_cfg(std::string_view text, std::string source_name);

// Reads the options of one section, for as long as nothing is wrong: the first problem is kept in error(), and what is
// returned from then on is a default of no meaning. So a layer's parser reads all that it needs and checks once.
// Refers to the Cfg; one thread.
class OptionReader {
 public:
  OptionReader(const Cfg& cfg, const CfgSection& section);

  [[nodiscard]] bool has(std::string_view key) const;
  // Values outside [min, max] are a problem like those that are no number.
  [[nodiscard]] int integer(std::string_view key, int fallback, int min, int max);
  [[nodiscard]] float number(std::string_view key, float fallback, float min, float max);
  [[nodiscard]] bool flag(std::string_view key, bool fallback) { return integer(key, fallback ? 1 : 0, 0, 1) != 0; }
  [[nodiscard]] std::string text(std::string_view key, std::string_view fallback);
  // Comma-separated; an absent key is an empty list. More than `max_count` is a problem.
  [[nodiscard]] std::vector<int> integers(std::string_view key, std::size_t max_count, int min, int max);
  [[nodiscard]] std::vector<float> numbers(std::string_view key, std::size_t max_count, float min, float max);

  // A problem with `key` (at its line) or with the whole section (at the section's).
  void fail(std::string_view key, std::string_view what);
  void fail(std::string_view what);
  // A problem if `key` is given and not 0: something that would change the result and is not done here.
  void refuse_if_set(std::string_view key);

  [[nodiscard]] const std::optional<common::Error>& error() const { return error_; }

 private:
  [[nodiscard]] const CfgOption* find(std::string_view key) const;
  void fail_at(std::size_t line, std::string_view what);

  const Cfg& cfg_;
  const CfgSection& section_;
  std::optional<common::Error> error_;
};

}  // namespace yolod::model::darknet
