// What shapes the result of a run, as a text in its checkpoint: who goes on must ask for the same.
#pragma once

#include <string>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "tools/train/run.hpp"

namespace yolod::train {

// A line for each option, as it would be given; an empty line; the cfg. `precision` and `threads` are those that were
// resolved. Pure.
[[nodiscard]] std::string run_note(const RunOptions& options, std::size_t threads, common::Precision precision,
                                   const std::string& cfg);

// kBadConfig names the first option that differs. Pure.
[[nodiscard]] common::Outcome<void> check_same_run(const std::string& begun_with, const std::string& asked);

}  // namespace yolod::train
