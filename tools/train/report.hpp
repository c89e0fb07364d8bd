// What a run leaves for people: its report.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/eval/average_precision.hpp"

namespace yolod::train {

struct ReportFacts {
  std::string name;                // of the cfg; the files of the run are named so
  std::filesystem::path cfg;       // as it was given
  std::filesystem::path folder;    // where the files are
  std::string source;              // what it was trained on, a sentence
  std::string start;               // what it began with, a sentence
  std::string end;                 // why it ended, a sentence
  std::vector<std::string> names;  // of the classes
  std::uint64_t steps{0};
  std::uint64_t images{0};
  double minutes{0};
  std::uint64_t best_step{0};                     // of the weights that were kept
  std::optional<model::eval::Evaluation> before;  // of the start weights, if there were any
  std::optional<model::eval::Evaluation> after;   // of the weights that were kept; nothing before the first validation
};

// Markdown: what was trained on what, average precision of each class before and after, and how to serve it. Pure.
[[nodiscard]] std::string report_text(const ReportFacts& facts);

// A config of yolod's that serves the weights, for a file in their folder. Pure.
[[nodiscard]] std::string config_text(const std::string& name);

}  // namespace yolod::train
