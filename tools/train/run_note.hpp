// What a run is of, as a text in its checkpoint: a checkpoint means nothing to a run of another network or other data.
#pragma once

#include <string>

#include "common/outcome.hpp"
#include "tools/train/run.hpp"

namespace yolod::train {

// A line for what pictures are learned from and for the share that is held out; an empty line; the cfg as it is
// trained. Pure.
[[nodiscard]] std::string run_note(const RunOptions& options, const std::string& cfg);

// kBadConfig names what differs. Pure.
[[nodiscard]] common::Outcome<void> check_same_run(const std::string& begun_with, const std::string& asked);

}  // namespace yolod::train
