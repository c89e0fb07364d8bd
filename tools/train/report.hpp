// Writes the text of a run's report and of its config.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/eval/average_precision.hpp"

namespace yolod::train {

struct ReportFacts {
  std::string name;                // name of the cfg, and of the files of the run
  std::filesystem::path cfg;       // as the user gave it
  std::filesystem::path folder;    // folder of the run's files
  std::string source;              // a sentence about the data
  std::string start;               // a sentence about the start weights
  std::string end;                 // a sentence about why the run ended
  std::vector<std::string> names;  // of the classes
  std::uint64_t steps{0};
  std::uint64_t images{0};
  double minutes{0};
  std::uint64_t best_step{0};                     // step of the weights that were kept
  std::optional<model::eval::Evaluation> before;  // evaluation of the start weights, if there were any
  // The evaluation of the weights that were kept. It is empty before the first validation.
  std::optional<model::eval::Evaluation> after;
};

// Returns a Markdown page with the data and the work of the run, the average precision of each class before and
// after, and the commands that serve the weights. Pure.
[[nodiscard]] std::string report_text(const ReportFacts& facts);

// Returns a config of yolod that serves the weights, for a file in their folder. Pure.
[[nodiscard]] std::string config_text(const std::string& name);

}  // namespace yolod::train
