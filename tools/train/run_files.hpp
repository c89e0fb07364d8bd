// The paths of a run's files, and the functions that write the files which a run writes once.
#pragma once

#include <filesystem>
#include <string>

#include "common/outcome.hpp"
#include "tools/train/run.hpp"
#include "tools/train/training_task.hpp"

namespace yolod::train {

// Returns NAME.extension in the folder of the run. NAME is the name of the cfg.
[[nodiscard]] std::filesystem::path run_file(const RunOptions& options, const char* extension);

// Replaces the file when everything is written. Returns kSystem on failure.
[[nodiscard]] common::Outcome<void> write_text(const std::filesystem::path& file, const std::string& text);

// Makes the folder. Before that it returns kBadConfig if the options do not fit the content of the folder. --resume
// needs a checkpoint. A new run needs a folder without a checkpoint. The trained cfg must not replace the user's own
// cfg. Returns kSystem if the folder cannot be made.
[[nodiscard]] common::Outcome<void> prepare_folder(const RunOptions& options, const TrainingTask& task);

// Writes the files that serve the weights (cfg, names, config), and the list of the held-out pictures. Returns
// kSystem on failure.
[[nodiscard]] common::Outcome<void> write_companions(const RunOptions& options, const TrainingTask& task);

}  // namespace yolod::train
