#include "tools/train/run.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "common/clock.hpp"
#include "common/system/cpu_count.hpp"
#include "common/text.hpp"
#include "model/darknet/operations.hpp"
#include "model/darknet/write_weights.hpp"
#include "model/image/opencv.hpp"
#include "model/precision.hpp"
#include "tools/progress/progress_line.hpp"
#include "tools/train/curve.hpp"
#include "tools/train/loader.hpp"
#include "tools/train/run_note.hpp"
#include "tools/train/run_status.hpp"
#include "tools/train/schedule.hpp"
#include "tools/train/trainable_cfg.hpp"
#include "tools/train/validation.hpp"

namespace yolod::train {
namespace {

using common::Clock;
using common::Error;
using common::ErrorCode;
using common::Outcome;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void take_into(std::optional<MovingAverages>& averages, const LossValues& step, double images_per_second) {
  constexpr double kShare = 0.02;
  if (!averages) {
    averages = MovingAverages{step, images_per_second};
    return;
  }
  const auto blend = [](double& value, double next) { value += kShare * (next - value); };
  blend(averages->loss.total, step.total);
  blend(averages->loss.box, step.box);
  blend(averages->loss.object, step.object);
  blend(averages->loss.classes, step.classes);
  blend(averages->images_per_second, images_per_second);
}

bool all_finite(const model::darknet::Network& network, model::darknet::StoredWeights& weights) {
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    for (const auto* list : model::darknet::in_file_order(network.layers[i], weights.layers[i])) {
      if (!std::all_of(list->begin(), list->end(), [](float value) { return std::isfinite(value); })) return false;
    }
  }
  return true;
}

std::filesystem::path file_of(const RunOptions& options, const char* extension) {
  return (options.folder / options.cfg.stem()).concat(std::string(".") + extension);
}

// What a run has resolved of its options.
struct Resolved {
  std::size_t threads{1};
  common::Precision precision{common::Precision::kFp32};
  std::string note;  // run_note()
};

class Run {
 public:
  Run(const RunOptions& options, Resolved resolved, model::darknet::Network network, std::unique_ptr<Learner> learner)
      : options_(options),
        resolved_(std::move(resolved)),
        network_(std::move(network)),
        learner_(std::move(learner)),
        loader_({options.seed,
                 options.batch,
                 {network_.input.width, network_.input.height},
                 options.loader_threads,
                 options.window}),
        curve_(file_of(options, "curve.tsv")) {}

  Outcome<RunReport> go(const std::function<bool()>& stop_asked) {
    if (auto begun = begin(); !begun) return std::move(begun).error();
    const auto validation =
        Validation::draw(scenes::kValidationSeed, options_.validation_scenes, resolved_.threads, stop_asked);
    report_.stopped = !validation;
    while (!report_.stopped) {
      if (const auto due = judged_at(done(position().step)); due > judged_) {
        save();
        if (auto scored = judge(*validation, stop_asked); !scored) return std::move(scored).error();
        if (report_.stopped) break;
        // By the clock others may have come due meanwhile: they are left out.
        judged_ = judged_at(done(position().step));
      }
      if (done(position().step) >= 1) break;
      report_.stopped = stop_asked();
      if (report_.stopped) break;
      if (auto stepped = step(); !stepped) return std::move(stepped).error();
      constexpr std::chrono::minutes kSaveEvery{2};
      if (Clock::now() - saved_ >= kSaveEvery) save();
    }
    save();
    report_.unsaved = unsaved_;
    return report_;
  }

 private:
  [[nodiscard]] RunPosition& position() { return report_.position; }
  [[nodiscard]] const RunPosition& position() const { return report_.position; }

  // 0 to 1, of the run, before a step.
  [[nodiscard]] double done(std::uint64_t step) const {
    if (options_.steps) return static_cast<double>(step) / static_cast<double>(*options_.steps);
    return position().seconds / (60 * *options_.minutes);
  }

  // How many validations are due by then.
  [[nodiscard]] std::size_t judged_at(double part) const {
    return static_cast<std::size_t>(part * static_cast<double>(options_.validations));
  }

  [[nodiscard]] double rate() const { return options_.rate * rate_at(done(position().step), position().step); }

  // What is on disk already, and whether more can be written.
  Outcome<void> begin() {
    if (options_.resume) {
      const auto fits = [this](const std::string& note) { return check_same_run(note, resolved_.note); };
      auto loaded = learner_->load(file_of(options_, "checkpoint"), fits);
      if (!loaded) return std::move(loaded).error();
      position() = *loaded;
      if (auto read = curve_.read(position().step); !read) return read;
    }
    begun_at_ = position();
    next_requested_ = position().step;
    take_last_score();
    if (auto written = curve_.write(); !written) return written;
    line_.keep(introduction());
    return {};
  }

  // A run that was stopped amid a validation goes on with it.
  void take_last_score() {
    if (curve_.points().empty()) return;
    const auto& last = curve_.points().back();
    report_.ap50 = last.ap50;
    report_.ap50_95 = last.ap50_95;
    judged_ = judged_at(options_.steps ? done(last.step) : last.minutes / *options_.minutes);
  }

  [[nodiscard]] std::string introduction() const {
    std::array<char, 96> size{};
    std::snprintf(size.data(), size.size(), ": %lld weights, %.3f BFLOPs; ",
                  static_cast<long long>(model::darknet::weight_count(network_)), model::darknet::bflops(network_));
    return options_.cfg.stem().string() + size.data() + std::string(model::to_string(resolved_.precision)) + ", " +
           std::to_string(resolved_.threads) + (resolved_.threads == 1 ? " thread" : " threads") + ", seed " +
           std::to_string(options_.seed) + "; " +
           (options_.resume ? "resumed at step " + std::to_string(position().step) : "from scratch");
  }

  Outcome<void> step() {
    constexpr std::size_t kAhead = 3;
    while (loader_.requested() < kAhead && !(options_.steps && next_requested_ == *options_.steps)) {
      loader_.request(next_requested_, stage_at(done(next_requested_)));
      ++next_requested_;
    }
    const auto start = Clock::now();
    auto batch = loader_.take();
    if (!batch) return std::move(batch).error();
    report_.waited_seconds += seconds_since(start);

    const auto loss = learner_->step(*batch, rate(), average_decay_at(position().step));
    if (!loss)
      return Error{loss.error().code, "step " + std::to_string(position().step + 1) + ": " + loss.error().message};
    ++position().step;
    position().images += batch->images();
    position().seconds = seconds();
    take_into(averages_, *loss, static_cast<double>(batch->images()) / seconds_since(start));
    if (line_.due()) line_.show(text_of(status()));
    return {};
  }

  [[nodiscard]] double seconds() const { return begun_at_.seconds + seconds_since(started_); }

  [[nodiscard]] RunStatus status() const {
    RunStatus status;
    status.minutes = position().seconds / 60;
    status.step = position().step;
    status.averages = averages_;
    status.rate = rate();
    status.ap50 = report_.ap50;
    status.ap50_95 = report_.ap50_95;
    if (options_.steps) {
      status.steps = options_.steps;
      const auto steps_done = static_cast<double>(position().step - begun_at_.step);
      const auto steps_left = static_cast<double>(*options_.steps - std::min(position().step, *options_.steps));
      if (steps_done > 0) status.minutes_left = (position().seconds - begun_at_.seconds) / 60 / steps_done * steps_left;
    } else {
      status.minutes_left = std::max(0.0, *options_.minutes - status.minutes);
      status.steps_are_estimated = true;
      const double part = done(position().step);
      if (part > 0) status.steps = static_cast<std::uint64_t>(static_cast<double>(position().step) / part);
    }
    return status;
  }

  Outcome<void> judge(const Validation& validation, const std::function<bool()>& stop_asked) {
    const auto judged = validation.judge(network_, learner_->weights(static_cast<std::int64_t>(position().images)),
                                         resolved_.threads, stop_asked);
    if (!judged) return judged.error();
    position().seconds = seconds();
    if (!*judged) {
      report_.stopped = true;
      return {};
    }
    report_.ap50 = (*judged)->mean.ap50;
    report_.ap50_95 = (*judged)->mean.ap50_95;
    const auto loss = averages_ ? std::optional(averages_->loss.total) : std::nullopt;
    curve_.add({position().seconds / 60, position().step, loss, report_.ap50, report_.ap50_95});
    report_failure(curve_.write());
    line_.keep(text_of(status()));
    return {};
  }

  // Each file is tried, whatever became of the others.
  void save() {
    saved_ = Clock::now();
    unsaved_.reset();
    report_failure(write_averaged());
    report_failure(learner_->save(file_of(options_, "checkpoint"), position(), resolved_.note));
    report_failure(curve_.write());
  }

  Outcome<void> write_averaged() {
    auto weights = learner_->weights(static_cast<std::int64_t>(position().images));
    if (!all_finite(network_, weights))
      return Error{ErrorCode::kInternal, "weights that are not finite are not written"};
    return model::darknet::write_weights(file_of(options_, "weights"), network_, std::move(weights));
  }

  void report_failure(const Outcome<void>& written) {
    if (written) return;
    line_.keep("yolod-train: " + written.error().message);
    if (!unsaved_) unsaved_ = written.error();
  }

  const RunOptions& options_;
  const Resolved resolved_;
  const model::darknet::Network network_;
  const std::unique_ptr<Learner> learner_;
  const Clock::time_point started_{Clock::now()};
  Loader loader_;
  Curve curve_;
  tools::ProgressLine line_{tools::ProgressLine::Elsewhere::kLines};
  RunPosition begun_at_;  // by this process
  RunReport report_;
  std::optional<MovingAverages> averages_;
  std::uint64_t next_requested_{0};
  std::size_t judged_{0};  // validations, by how many are due
  Clock::time_point saved_{Clock::now()};
  std::optional<Error> unsaved_;  // by the last attempt
};

// kBadConfig where what is asked for and what is in the folder do not go together; makes the folder.
Outcome<void> prepare_folder(const RunOptions& options) {
  const auto checkpoint = file_of(options, "checkpoint");
  std::error_code failed;
  const bool begun = std::filesystem::exists(checkpoint, failed);
  if (begun && !options.resume) {
    return Error{
        ErrorCode::kBadConfig,
        checkpoint.string() + " exists: --resume goes on with it; remove it or name another --output to begin anew"};
  }
  if (!begun && options.resume)
    return Error{ErrorCode::kBadConfig, checkpoint.string() + ": no checkpoint there; run without --resume"};
  std::filesystem::create_directories(options.folder, failed);
  if (failed) return common::system_error(options.folder.string(), failed.value());
  return {};
}

}  // namespace

Outcome<RunReport> run_training(const RunOptions& options, const std::function<bool()>& stop_asked) {
  if (options.minutes.has_value() == options.steps.has_value())
    return Error{ErrorCode::kBadConfig, "either minutes or steps must say how long the run is"};
  auto cfg = read_trainable_cfg(options.cfg);
  if (!cfg) return std::move(cfg).error();
  if (static_cast<std::size_t>(cfg->network.classes) != scenes::kLightCount) {
    return Error{ErrorCode::kBadModel, options.cfg.string() + ": " + std::to_string(cfg->network.classes) +
                                           " classes, scenes have " + std::to_string(scenes::kLightCount)};
  }
  const auto precision = learning_precision(options.precision);
  if (!precision) return precision.error();
  if (auto prepared = prepare_folder(options); !prepared) return std::move(prepared).error();
  model::image::prepare_opencv();  // OpenCV's own threads would be too many
  LearnerSettings settings;
  settings.seed = options.seed;
  settings.threads = options.threads == 0 ? common::usable_cpu_count() : options.threads;
  settings.precision = *precision;
  auto learner = Learner::create(cfg->network, settings);
  if (!learner) return std::move(learner).error();
  Resolved resolved{settings.threads, *precision, run_note(options, settings.threads, *precision, cfg->text)};
  try {
    return Run(options, std::move(resolved), std::move(cfg->network), std::move(learner).value()).go(stop_asked);
  } catch (const std::exception& error) {
    return Error{ErrorCode::kInternal, common::printable(error.what(), 300)};
  }
}

}  // namespace yolod::train
