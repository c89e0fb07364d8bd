// A run of training, from scratch or from a checkpoint to its end: what `yolod-train run` does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "common/config.hpp"
#include "common/outcome.hpp"
#include "tools/train/learner.hpp"
#include "tools/train/scene_pool.hpp"

namespace yolod::train {

struct RunOptions {
  std::filesystem::path cfg;
  // Made if it is not there. NAME of the cfg: NAME.weights (the averaged weights), NAME.checkpoint, NAME.curve.tsv.
  std::filesystem::path folder;
  // One of them. By steps the same options give the same weights on a machine with as many threads; by time the rate
  // and the stages follow the clock.
  std::optional<double> minutes;
  std::optional<std::uint64_t> steps;
  bool resume{false};  // from the folder's checkpoint, with the options that it began with
  std::uint64_t seed{1};
  std::size_t batch{16};
  double rate{2e-3};                                      // the highest
  std::size_t threads{0};                                 // that learn; 0: all that this process may use
  common::Precision precision{common::Precision::kAuto};  // kAuto: bf16 where the processor has it
  std::size_t loader_threads{1};                          // that draw, cut and mix beside it
  std::size_t validation_scenes{200};
  std::size_t validations{12};  // in a run, the last at its end
  WindowSettings window;
};

struct RunReport {
  RunPosition position;
  bool stopped{false};  // before its end
  std::optional<double> ap50;
  std::optional<double> ap50_95;
  double waited_seconds{0};  // for batches
};

// Seeds of scenes that validation draws: far from those that anyone trains with, below those of tests.
inline constexpr std::uint64_t kValidationSeed = 999'999;

// Shows how far it is on stderr. Where `stop_asked` says so it ends after the step at hand with a checkpoint. One run
// at a time in a process: it sets LibTorch's threads.
[[nodiscard]] common::Outcome<RunReport> run_training(const RunOptions& options,
                                                      const std::function<bool()>& stop_asked);

}  // namespace yolod::train
