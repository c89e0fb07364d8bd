// The note in a checkpoint identifies the network and the data of its run. A run with another network or other data
// must not use that checkpoint.
#pragma once

#include <string>

#include "common/outcome.hpp"
#include "tools/train/run.hpp"

namespace yolod::train {

// The first line of the result names the kind of the data and the held-out share. The second line has the seed. The
// third line tells whether start weights fill every layer. That decides about the objective. The fourth line is
// empty. The trained cfg follows, and its keys belong to the objective. Pure.
[[nodiscard]] std::string run_note(const RunOptions& options, const std::string& cfg, bool fine_tunes);

// Returns kBadConfig with the first difference if the notes differ. Pure.
[[nodiscard]] common::Outcome<void> check_same_run(const std::string& begun_with, const std::string& asked);

}  // namespace yolod::train
