// A run of training, from its start or from a checkpoint to its end. `yolod-train` calls it.
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
  // The share of the pictures that training never learns from. Validations use these pictures.
  double held_out{0.2};
  double flip_chance{0.5};
};

struct RunOptions {
  std::filesystem::path cfg;
  // The function makes the folder if it does not exist. The files have the cfg's NAME:
  //   NAME.cfg           the cfg as trained
  //   NAME.weights       the best weights by AP50
  //   NAME.names         the names of the classes
  //   NAME.yaml          a config of yolod that serves the weights
  //   NAME.report.md, NAME.svg, NAME.curve.tsv
  //   NAME.held-out.txt  the list of the held-out pictures
  //   NAME.checkpoint    the state from which --resume continues
  std::filesystem::path folder;
  std::optional<PictureOptions> pictures;  // empty: train on drawn scenes
  std::filesystem::path weights;           // start weights; empty: random weights
  int classes{0};                          // 0: the number of names
  // At most one of the two is set. If neither is set, the run shows each picture about a hundred times, in at least
  // kLeastSteps steps.
  std::optional<double> minutes;
  std::optional<std::uint64_t> steps;
  bool resume{false};  // continue from the folder's checkpoint; if false, the folder must have none
  std::uint64_t seed{1};
  std::size_t batch{16};
  std::optional<double> rate;                             // the highest rate; default: one of the rates below
  std::size_t threads{0};                                 // threads that learn; 0: one for each usable CPU
  common::Precision precision{common::Precision::kAuto};  // kAuto: bf16 if the processor supports it
  std::size_t loader_threads{1};                          // threads that decode or draw pictures and make inputs
  std::size_t validation_scenes{200};
  std::size_t validations{20};  // number in a whole run; the last is at its end
  std::size_t patience{0};      // the run ends after so many validations without a better AP50; 0: no limit
  WindowSettings window;
};

inline constexpr std::uint64_t kLeastSteps = 300;
inline constexpr double kFreshRate = 2e-3;
inline constexpr double kStartedRate = 5e-4;  // the default with start weights for some layers
inline constexpr double kTunedRate = 1e-5;    // the default with start weights for every layer

struct RunReport {
  RunPosition position;
  bool stopped{false};  // stop_asked() ended the run early
  bool out_of_patience{false};
  // The scores of the best validation. They are empty before the first validation.
  std::optional<double> ap50;
  std::optional<double> ap50_95;
  std::uint64_t best_step{0};
  double waited_seconds{0};              // time that the steps waited for batches
  std::filesystem::path report;          // path of the report
  std::optional<common::Error> unsaved;  // first error of the files that could not be written at the end
};

// Shows the progress on stderr. If `stop_asked` returns true, the run ends after the present step, or during a
// validation, and writes a checkpoint. The run writes its files at intervals. If it cannot write a file, it reports
// that and tries again at the next interval. A process may have only one run at a time, because a run sets the
// threads of LibTorch and OpenCV.
//
// Returns an Error before it writes anything:
//   kBadConfig         options contradict each other, or do not fit the content of the folder
//   kInvalidParameter  the pictures or the labels cannot be used
//   kBadModel          the cfg cannot be trained, the weights do not fit it, or the checkpoint is damaged
//   kSystem            the folder cannot be written to
// Later it returns kInternal if a step fails or a loss is not finite, and kInvalidImage or another error of the
// decoder if a picture cannot be decoded. The files that were written before the error stay.
[[nodiscard]] common::Outcome<RunReport> run_training(const RunOptions& options,
                                                      const std::function<bool()>& stop_asked);

}  // namespace yolod::train
