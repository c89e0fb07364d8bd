// The files of a run: where they are, and those that are written once.
#pragma once

#include <filesystem>
#include <string>

#include "common/outcome.hpp"
#include "tools/train/run.hpp"
#include "tools/train/training_task.hpp"

namespace yolod::train {

// NAME.extension in the folder of the run, NAME being the cfg's.
[[nodiscard]] std::filesystem::path run_file(const RunOptions& options, const char* extension);

// The file is replaced when all is written: kSystem where that fails.
[[nodiscard]] common::Outcome<void> write_text(const std::filesystem::path& file, const std::string& text);

// Makes the folder. kBadConfig, before that, where what is asked for and what is in it do not go together: a checkpoint
// that is there or is not, or the user's own cfg, which the trained one would replace. kSystem where it cannot be made.
[[nodiscard]] common::Outcome<void> prepare_folder(const RunOptions& options, const TrainingTask& task);

// What the weights are served with (cfg, names, config), and the list of the pictures that are held out. kSystem.
[[nodiscard]] common::Outcome<void> write_companions(const RunOptions& options, const TrainingTask& task);

}  // namespace yolod::train
