// Reads a text of system.yaml as the program does. The functions give the result, its single problem, or its config.
// A test fails if the problem or the config does not exist.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "common/config/schema.hpp"

namespace yolod::common {

// Paths in `text` are relative to /etc/yolod.
inline ConfigOutcome parsed(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_config(text, "system.yaml", "/etc/yolod", overrides);
}

inline Config config_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  ConfigOutcome outcome = parsed(text, overrides);
  for (const ConfigProblem& problem : outcome.problems) UNSCOPED_INFO(to_string(problem));
  REQUIRE(outcome.config.has_value());
  REQUIRE(outcome.problems.empty());
  return std::move(*outcome.config);
}

inline std::vector<std::string> problems_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const ConfigOutcome outcome = parsed(text, overrides);
  CHECK_FALSE(outcome.config.has_value());
  std::vector<std::string> lines;
  for (const ConfigProblem& problem : outcome.problems) lines.push_back(to_string(problem));
  return lines;
}

// Returns the single problem of a text that must have exactly one.
inline std::string problem_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const auto lines = problems_of(text, overrides);
  for (const std::string& line : lines) UNSCOPED_INFO(line);
  REQUIRE(lines.size() == 1);
  return lines.front();
}

}  // namespace yolod::common
