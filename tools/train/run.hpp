// A run of training, from scratch or from a checkpoint to its end: what `yolod-train run` does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "tools/train/learner.hpp"
#include "tools/train/scene_pool.hpp"

namespace yolod::train {

struct RunOptions {
  std::filesystem::path cfg;
  // Made if it is not there. NAME of the cfg: NAME.weights (the averaged weights), NAME.checkpoint, NAME.curve.tsv.
  std::filesystem::path folder;
  // One of them. By steps the same options give the same weights bit for bit; by time the rate and the stages follow
  // the clock.
  std::optional<double> minutes;
  std::optional<std::uint64_t> steps;
  // From the folder's checkpoint, with the options that it began with (run_note.hpp); else there must be none.
  bool resume{false};
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
  // Of the last validation; nothing before the first.
  std::optional<double> ap50;
  std::optional<double> ap50_95;
  double waited_seconds{0};              // for batches
  std::optional<common::Error> unsaved;  // the first of the files that could not be written at the end
};

// Shows how far it is on stderr. Where `stop_asked` says so it ends after the step at hand, or amid a validation, with
// a checkpoint. Files are written now and then; one that cannot be is told of, and tried again the next time. One run
// at a time in a process: it sets LibTorch's threads and OpenCV's.
//
// An Error, before anything is written: kBadConfig for options that contradict each other or what is in the folder;
// kBadModel for a cfg that cannot be trained or a damaged checkpoint; kSystem for a folder that cannot be written to.
// Later, kInternal: a step that failed, a loss that is not finite. What was saved until then stays.
[[nodiscard]] common::Outcome<RunReport> run_training(const RunOptions& options,
                                                      const std::function<bool()>& stop_asked);

}  // namespace yolod::train
