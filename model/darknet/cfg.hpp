// Parses a Darknet cfg into sections of options, with typed and bounded access to them.
//
// The format follows AlexeyAB/darknet's read_cfg(): `[section]` lines, `key=value` lines, blank lines, and comment
// lines that begin with '#', ';' or "//". A value also ends at each of these, because Darknet reads a number only up
// to them. As in Darknet, blanks are removed everywhere (`1 2` is 12), the first of several equal keys counts, and a
// line without a value is skipped, with a warning.
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
  std::size_t line{0};  // from 1
};

struct CfgSection {
  std::string type;  // "convolutional", without brackets
  std::size_t line{0};
  std::vector<CfgOption> options;
};

struct Cfg {
  std::string source_name;  // the file's name in messages
  std::vector<CfgSection> sections;
  // The warnings about skipped lines that may be mistakes: `source:line: [section]: what`, at most kMaxCfgWarnings.
  std::vector<std::string> warnings{};
};

// More warnings tell nothing new, and each of them costs a search for the nearest key.
inline constexpr std::size_t kMaxCfgWarnings = 20;

// parse_cfg() refuses a larger text. The largest published cfg has 60 kB.
inline constexpr std::size_t kMaxCfgBytes = std::size_t{1} << 20U;

// Any bytes are safe to pass. An Error (kBadModel) reads `source:line: what is wrong`.
[[nodiscard]] common::Outcome<Cfg> parse_cfg(std::string_view text, std::string source_name);

// Reads the options of a section until the first problem, which error() returns; after a problem the returned values
// are meaningless defaults. A layer's parser can therefore read all its options and check once. The object refers to
// the Cfg. One thread uses it.
class OptionReader {
 public:
  OptionReader(const Cfg& cfg, const CfgSection& section);

  [[nodiscard]] bool has(std::string_view key) const;
  // A value outside [min, max], and a value that is not a number, are problems.
  [[nodiscard]] int integer(std::string_view key, int fallback, int min, int max);
  [[nodiscard]] float number(std::string_view key, float fallback, float min, float max);
  [[nodiscard]] bool flag(std::string_view key, bool fallback) { return integer(key, fallback ? 1 : 0, 0, 1) != 0; }
  [[nodiscard]] std::string text(std::string_view key, std::string_view fallback);
  // Reads comma-separated numbers; an absent key gives an empty list. More than `max_count` numbers are a problem.
  [[nodiscard]] std::vector<int> integers(std::string_view key, std::size_t max_count, int min, int max);
  [[nodiscard]] std::vector<float> numbers(std::string_view key, std::size_t max_count, float min, float max);

  // Reports a problem with `key` (at its line) or with the whole section (at the section's line).
  void fail(std::string_view key, std::string_view what);
  void fail(std::string_view what);
  // Reports a problem if `key` is given and not 0, for an option that would change the result and is not supported.
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
