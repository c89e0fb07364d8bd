// A run of training, from its start or from a checkpoint to its end: what `yolod-train` does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "common/config/model_config.hpp"
#include "common/outcome.hpp"
#include "tools/train/learner.hpp"
#include "tools/train/scene_source.hpp"

namespace yolod::train {

struct PictureOptions {
  std::filesystem::path images;
  std::filesystem::path labels;
  std::filesystem::path names;
  double held_out{0.2};  // the share of the pictures that is never learned from: validations look at it
  double flip_chance{0.5};
};

struct RunOptions {
  std::filesystem::path cfg;
  // Made if it is not there. NAME of the cfg: NAME.cfg (as it is trained), NAME.weights (the best by AP50), NAME.names,
  // NAME.yaml (serves them), NAME.report.md, NAME.svg, NAME.curve.tsv, NAME.held-out.txt, NAME.checkpoint.
  std::filesystem::path folder;
  std::optional<PictureOptions> pictures;  // nothing: drawn scenes
  std::filesystem::path weights;           // to begin with; empty: random ones
  int classes{0};                          // 0: as many as there are names
  // At most one of them. Neither: a hundred steps' worth of each picture, at least kLeastSteps.
  std::optional<double> minutes;
  std::optional<std::uint64_t> steps;
  bool resume{false};  // from the folder's checkpoint; else there must be none
  std::uint64_t seed{1};
  std::size_t batch{16};
  std::optional<double> rate;                             // the highest; by default kFreshRate or kStartedRate
  std::size_t threads{0};                                 // that learn; 0: all that this process may use
  common::Precision precision{common::Precision::kAuto};  // kAuto: bf16 where the processor has it
  std::size_t loader_threads{1};                          // that decode or draw, cut and mix beside it
  std::size_t validation_scenes{200};
  std::size_t validations{20};  // in a run, the last at its end
  std::size_t patience{0};      // validations without a better AP50 after which the run ends; 0: it does not
  WindowSettings window;
};

inline constexpr std::uint64_t kLeastSteps = 300;
inline constexpr double kFreshRate = 2e-3;
inline constexpr double kStartedRate = 5e-4;  // with weights to begin with

struct RunReport {
  RunPosition position;
  bool stopped{false};  // by somebody, before its end
  bool out_of_patience{false};
  // The best of its validations; nothing before the first.
  std::optional<double> ap50;
  std::optional<double> ap50_95;
  std::uint64_t best_step{0};
  double waited_seconds{0};              // for batches
  std::filesystem::path report;          // the file
  std::optional<common::Error> unsaved;  // the first of the files that could not be written at the end
};

// Shows how far it is on stderr. Where `stop_asked` says so it ends after the step at hand, or amid a validation, with
// a checkpoint. Files are written now and then; one that cannot be is told of, and tried again the next time. One run
// at a time in a process: it sets LibTorch's threads and OpenCV's.
//
// An Error, before anything is written: kBadConfig for options that contradict each other or what is in the folder;
// kInvalidParameter for pictures and labels that cannot be used; kBadModel for a cfg that cannot be trained, weights
// that do not fit it or a damaged checkpoint; kSystem for a folder that cannot be written to. Later, kInternal: a step
// that failed, a loss that is not finite; kInvalidImage and its like for a picture that cannot be decoded. What was
// saved until then stays.
[[nodiscard]] common::Outcome<RunReport> run_training(const RunOptions& options,
                                                      const std::function<bool()>& stop_asked);

}  // namespace yolod::train
