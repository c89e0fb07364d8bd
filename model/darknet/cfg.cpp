#include "model/darknet/cfg.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "common/text.hpp"
#include "model/bad_model.hpp"

namespace yolod::model::darknet {
namespace {

using common::Error;
using common::Outcome;

// These limits are far above every published cfg; they bound the memory that a hostile cfg can use.
constexpr std::size_t kMaxLineBytes = 64 * 1024;  // a `counters_per_class` with thousands of classes fits
constexpr std::size_t kMaxSections = 4'000;
constexpr std::size_t kMaxOptionsPerSection = 256;

std::string at(const std::string& source, std::size_t line) { return source + ":" + std::to_string(line) + ": "; }

// Returns all of `text` as a number, or nullopt. from_chars accepts no leading '+', which cfgs may have.
template <typename Number>
std::optional<Number> to_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <typename Number>
std::string range_text(Number min, Number max) {
  auto text = [](Number value) {
    char buffer[48];
    const auto [end, status] = std::to_chars(buffer, buffer + sizeof buffer, value);
    return status == std::errc{} ? std::string(buffer, end) : std::string("?");
  };
  return text(min) + " to " + text(max);
}

// Returns why `text` is not a Number in the range, or an empty text.
template <typename Number>
std::string check_number(std::string_view text, Number min, Number max, Number& value) {
  const auto parsed = to_number<Number>(text);
  constexpr const char* kKind = std::is_integral_v<Number> ? "a whole number" : "a number";
  if (!parsed)
    return "\"" + common::printable(text, 40) + "\" is not " + kKind + ", " + range_text(min, max) + " is allowed";
  if (!(*parsed >= min && *parsed <= max))
    return common::printable(text, 40) + " is out of range, " + range_text(min, max) + " is allowed";
  value = *parsed;
  return {};
}

std::string without_blanks(std::string_view text) {
  std::string kept;
  for (const char c : text) {
    if (c != ' ' && c != '\t' && c != '\r') kept += c;
  }
  return kept;
}

std::size_t comment_begin(std::string_view line) { return std::min(line.find_first_of("#;"), line.find("//")); }

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> items;
  while (true) {
    const auto comma = text.find(',');
    const auto item = common::trimmed(text.substr(0, comma));
    // Published lists often end with a comma, and Darknet ignores it.
    if (!item.empty() || comma != std::string_view::npos) items.push_back(item);
    if (comma == std::string_view::npos) return items;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

Outcome<Cfg> parse_cfg(std::string_view text, std::string source_name) {
  if (text.size() > kMaxCfgBytes) {
    return bad_model(source_name + ": a cfg of " + std::to_string(text.size()) + " bytes, at most " +
                     std::to_string(kMaxCfgBytes) + " is allowed");
  }
  Cfg cfg{std::move(source_name), {}, {}};
  auto fail = [&cfg](std::size_t line, const std::string& what) { return bad_model(at(cfg.source_name, line) + what); };
  auto warn = [&cfg](std::size_t line, const std::string& what) {
    if (cfg.warnings.size() == kMaxCfgWarnings) return;
    cfg.warnings.push_back(at(cfg.source_name, line) + "[" + common::printable(cfg.sections.back().type, 40) +
                           "]: " + what + " and is passed over");
  };

  text = common::without_byte_order_mark(text);
  std::size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const auto newline = text.find('\n');
    auto line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);

    if (line.size() > kMaxLineBytes) return fail(line_number, "a line of " + std::to_string(line.size()) + " bytes");
    if (line.find('\0') != std::string_view::npos) return fail(line_number, "a NUL byte: this is not a cfg");
    line = common::trimmed(line);
    line = common::trimmed(line.substr(0, comment_begin(line)));
    if (line.empty()) continue;

    if (line.front() == '[') {
      const auto close = line.find(']');
      if (close == std::string_view::npos)
        return fail(line_number, "\"" + common::printable(line, 40) + "\" has no closing ]");
      if (cfg.sections.size() == kMaxSections)
        return fail(line_number, "more than " + std::to_string(kMaxSections) + " sections");
      cfg.sections.push_back({without_blanks(line.substr(1, close - 1)), line_number, {}});
      continue;
    }

    const auto equals = line.find('=');
    if (cfg.sections.empty()) {
      return fail(line_number, equals == std::string_view::npos
                                   ? "\"" + common::printable(line, 40) + "\" is neither [section] nor key=value"
                                   : "an option before the first [section]");
    }
    if (equals == std::string_view::npos) {
      warn(line_number, "\"" + common::printable(line, 40) + "\" is neither [section] nor key=value");
      continue;
    }
    auto key = without_blanks(line.substr(0, equals));
    auto value = without_blanks(line.substr(equals + 1));
    if (value.empty()) {
      warn(line_number, common::printable(key, 40) + " has no value");
      continue;
    }
    auto& options = cfg.sections.back().options;
    if (options.size() == kMaxOptionsPerSection) {
      return fail(line_number, "more than " + std::to_string(kMaxOptionsPerSection) + " options in [" +
                                   common::printable(cfg.sections.back().type, 40) + "]");
    }
    options.push_back({std::move(key), std::move(value), line_number});
  }
  if (cfg.sections.empty()) return bad_model(cfg.source_name + ": no [section] in it: this is not a cfg");
  return cfg;
}

OptionReader::OptionReader(const Cfg& cfg, const CfgSection& section) : cfg_(cfg), section_(section) {}

const CfgOption* OptionReader::find(std::string_view key) const {
  for (const auto& option : section_.options) {
    if (option.key == key) return &option;
  }
  return nullptr;
}

bool OptionReader::has(std::string_view key) const { return find(key) != nullptr; }

int OptionReader::integer(std::string_view key, int fallback, int min, int max) {
  const auto* option = find(key);
  if (option == nullptr || error_) return fallback;
  int value = fallback;
  if (const auto problem = check_number(option->value, min, max, value); !problem.empty()) fail(key, problem);
  return value;
}

float OptionReader::number(std::string_view key, float fallback, float min, float max) {
  const auto* option = find(key);
  if (option == nullptr || error_) return fallback;
  float value = fallback;
  if (const auto problem = check_number(option->value, min, max, value); !problem.empty()) fail(key, problem);
  return value;
}

std::string OptionReader::text(std::string_view key, std::string_view fallback) {
  const auto* option = find(key);
  return option == nullptr ? std::string(fallback) : option->value;
}

namespace {

template <typename Number>
std::string read_list(std::string_view text, std::size_t max_count, Number min, Number max,
                      std::vector<Number>& values) {
  const auto items = split_list(text);
  if (items.size() > max_count) {
    return std::to_string(items.size()) + " values, at most " + std::to_string(max_count) + " are allowed";
  }
  for (const auto item : items) {
    Number value{};
    if (auto problem = check_number(item, min, max, value); !problem.empty()) return problem;
    values.push_back(value);
  }
  return {};
}

}  // namespace

std::vector<int> OptionReader::integers(std::string_view key, std::size_t max_count, int min, int max) {
  std::vector<int> values;
  const auto* option = find(key);
  if (option == nullptr || error_) return values;
  if (const auto problem = read_list(option->value, max_count, min, max, values); !problem.empty()) fail(key, problem);
  return values;
}

std::vector<float> OptionReader::numbers(std::string_view key, std::size_t max_count, float min, float max) {
  std::vector<float> values;
  const auto* option = find(key);
  if (option == nullptr || error_) return values;
  if (const auto problem = read_list(option->value, max_count, min, max, values); !problem.empty()) fail(key, problem);
  return values;
}

void OptionReader::fail(std::string_view key, std::string_view what) {
  const auto* option = find(key);
  fail_at(option != nullptr ? option->line : section_.line, std::string(key) + ": " + std::string(what));
}

void OptionReader::fail(std::string_view what) { fail_at(section_.line, what); }

void OptionReader::refuse_if_set(std::string_view key) {
  const auto* option = find(key);
  if (option == nullptr) return;
  const auto value = to_number<float>(option->value);
  if (value && *value == 0) return;
  fail(key, "\"" + common::printable(option->value, 40) + "\" is not supported, only 0 is");
}

void OptionReader::fail_at(std::size_t line, std::string_view what) {
  if (error_) return;
  error_ =
      bad_model(at(cfg_.source_name, line) + "[" + common::printable(section_.type, 40) + "]: " + std::string(what));
}

}  // namespace yolod::model::darknet
