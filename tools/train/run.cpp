#include "tools/train/run.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.hpp"
#include "common/system/cpu_count.hpp"
#include "common/text.hpp"
#include "model/darknet/operations.hpp"
#include "model/darknet/weights.hpp"
#include "model/darknet/write_weights.hpp"
#include "model/image/opencv.hpp"
#include "model/precision.hpp"
#include "tools/progress/progress_line.hpp"
#include "tools/train/curve.hpp"
#include "tools/train/loader.hpp"
#include "tools/train/plot.hpp"
#include "tools/train/report.hpp"
#include "tools/train/run_files.hpp"
#include "tools/train/run_note.hpp"
#include "tools/train/run_status.hpp"
#include "tools/train/schedule.hpp"
#include "tools/train/training_task.hpp"
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

// The values that follow from a run's options.
struct Resolved {
  std::size_t threads{1};
  common::Precision precision{common::Precision::kFp32};
  double rate{kFreshRate};
  std::optional<std::uint64_t> steps;  // empty: the run ends by the clock
  std::string note;                    // run_note()
};

LoaderSettings loader_settings(const RunOptions& options, const TrainingTask& task) {
  const auto& network = task.network;
  LoaderSettings settings;
  settings.seed = options.seed;
  settings.batch = options.batch;
  settings.threads = options.loader_threads;
  auto& augment = settings.augment;
  augment.input = {network.input.width, network.input.height};
  augment.fit = network.letter_box ? model::image::Fit::kLetterbox : model::image::Fit::kStretch;
  if (options.pictures) {
    // Photos show objects at more sizes than scenes do.
    augment.smallest_zoom = 0.5;
    augment.mosaic_chance = 0.5;
    augment.shortest_target = 3;
    augment.flip_chance = options.pictures->flip_chance;
  }
  if (task.fine_tunes()) {
    // The network already knows its classes at many sizes. Mosaics would only move it away from whole pictures.
    augment.mosaic_chance = 0;
    augment.smallest_zoom = 0.85;
    augment.largest_zoom = 1.2;
  }
  return settings;
}

class Run {
 public:
  Run(const RunOptions& options, Resolved resolved, TrainingTask task, std::unique_ptr<Learner> learner,
      std::function<bool()> stop_asked)
      : options_(options),
        resolved_(std::move(resolved)),
        task_(std::move(task)),
        learner_(std::move(learner)),
        stop_asked_(std::move(stop_asked)),
        loader_(loader_settings(options, task_), *task_.source),
        curve_(run_file(options, "curve.tsv")) {}

  Outcome<RunReport> go() {
    if (auto begun = begin(); !begun) return std::move(begun).error();
    const auto validation = validation_pictures();
    report_.stopped = !validation;
    if (validation && task_.has_start) {
      if (auto judged = judge_start(*validation); !judged) return std::move(judged).error();
    }
    while (!report_.stopped && !report_.out_of_patience) {
      if (const auto due = judged_at(done(position().step)); due > judged_) {
        save();
        if (auto scored = judge(*validation); !scored) return std::move(scored).error();
        if (report_.stopped || report_.out_of_patience) break;
        // In a run that ends by the clock, more validations may be due by now. The run skips them.
        judged_ = judged_at(done(position().step));
      }
      if (done(position().step) >= 1) break;
      report_.stopped = stop_asked_();
      if (report_.stopped) break;
      if (auto stepped = step(); !stepped) return std::move(stepped).error();
      constexpr std::chrono::minutes kSaveEvery{2};
      if (Clock::now() - saved_ >= kSaveEvery) save();
    }
    if (validation && !report_.stopped) judge_kept(*validation);
    save();
    report_.unsaved = unsaved_;
    return report_;
  }

 private:
  [[nodiscard]] RunPosition& position() { return report_.position; }
  [[nodiscard]] const RunPosition& position() const { return report_.position; }
  [[nodiscard]] const model::darknet::Network& network() const { return task_.network; }
  [[nodiscard]] std::string stem() const { return options_.cfg.stem().string(); }

  // Returns the part of the run, 0 to 1, that is done before a step.
  [[nodiscard]] double done(std::uint64_t step) const {
    if (resolved_.steps) return static_cast<double>(step) / static_cast<double>(*resolved_.steps);
    return position().seconds / (60 * *options_.minutes);
  }

  // Returns how many validations are due when this part of the run is done.
  [[nodiscard]] std::size_t judged_at(double part) const {
    return static_cast<std::size_t>(part * static_cast<double>(options_.validations));
  }

  [[nodiscard]] double rate() const { return resolved_.rate * rate_at(done(position().step), position().step); }

  [[nodiscard]] std::optional<Validation> validation_pictures() {
    if (!task_.held_out.empty()) return Validation::of(task_.held_out);
    return Validation::draw(scenes::kValidationSeed, options_.validation_scenes, resolved_.threads, stop_asked_);
  }

  // Reads what an earlier process of this run wrote, and checks that the folder accepts files.
  Outcome<void> begin() {
    if (options_.resume) {
      const auto fits = [this](const std::string& note) { return check_same_run(note, resolved_.note); };
      auto loaded = learner_->load(run_file(options_, "checkpoint"), fits);
      if (!loaded) return std::move(loaded).error();
      position() = *loaded;
      if (auto read = curve_.read(position().step); !read) return read;
    }
    begun_at_ = position();
    next_requested_ = position().step;
    take_last_scores();
    if (auto written = curve_.write(); !written) return written;
    if (auto written = write_companions(options_, task_); !written) return written;
    line_.keep(introduction());
    line_.keep("data: " + task_.data);
    line_.keep("begun with: " + task_.start);
    return {};
  }

  // Takes over the scores of the curve. A run that was stopped during a validation does that validation next.
  void take_last_scores() {
    for (const auto& point : curve_.points()) {
      if (!point.ap50) continue;
      const bool is_start = point.step == 0;
      const double part = resolved_.steps ? done(point.step) : point.minutes / *options_.minutes;
      if (!is_start) judged_ = judged_at(part);
      take_score(point);
    }
  }

  // Returns whether this score is the best so far.
  bool take_score(const CurvePoint& point) {
    ap50_ = point.ap50;
    ap50_95_ = point.ap50_95;
    if (!point.ap50) return false;  // there was no object to find
    const bool better = !report_.ap50 || *point.ap50 > *report_.ap50;
    since_best_ = better ? 0 : since_best_ + 1;
    if (better) {
      report_.ap50 = point.ap50;
      report_.ap50_95 = point.ap50_95;
      report_.best_step = point.step;
    }
    return better;
  }

  [[nodiscard]] std::string introduction() const {
    std::array<char, 96> size{};
    std::snprintf(size.data(), size.size(), ": %lld weights, %.3f BFLOPs; ",
                  static_cast<long long>(model::darknet::weight_count(network())), model::darknet::bflops(network()));
    return stem() + size.data() + std::string(model::to_string(resolved_.precision)) + ", " +
           std::to_string(resolved_.threads) + (resolved_.threads == 1 ? " thread" : " threads") + ", seed " +
           std::to_string(options_.seed) + "; " +
           (options_.resume ? "resumed at step " + std::to_string(position().step) : "from the start");
  }

  Outcome<void> step() {
    constexpr std::size_t kAhead = 3;
    while (loader_.requested() < kAhead && !(resolved_.steps && next_requested_ >= *resolved_.steps)) {
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
    note_loss();
    if (line_.due()) line_.show(text_of(status()));
    return {};
  }

  // Adds a hundred points of the loss, at even distances over the run.
  void note_loss() {
    constexpr double kPoints = 100;
    const auto mark = static_cast<std::size_t>(kPoints * done(position().step));
    if (mark == loss_mark_) return;
    loss_mark_ = mark;
    curve_.add({position().seconds / 60, position().step, averages_->loss.total, {}, {}});
  }

  [[nodiscard]] double seconds() const { return begun_at_.seconds + seconds_since(started_); }

  [[nodiscard]] RunStatus status() const {
    RunStatus status;
    status.minutes = position().seconds / 60;
    status.step = position().step;
    status.averages = averages_;
    status.rate = rate();
    status.ap50 = ap50_;
    status.ap50_95 = ap50_95_;
    if (resolved_.steps) {
      status.steps = resolved_.steps;
      const auto steps_done = static_cast<double>(position().step - begun_at_.step);
      const auto steps_left = static_cast<double>(*resolved_.steps - std::min(position().step, *resolved_.steps));
      if (steps_done > 0) status.minutes_left = (position().seconds - begun_at_.seconds) / 60 / steps_done * steps_left;
    } else {
      status.minutes_left = std::max(0.0, *options_.minutes - status.minutes);
      status.steps_are_estimated = true;
      const double part = done(position().step);
      if (part > 0) status.steps = static_cast<std::uint64_t>(static_cast<double>(position().step) / part);
    }
    return status;
  }

  // Returns the present averaged weights.
  [[nodiscard]] model::darknet::StoredWeights weights() const {
    return learner_->weights(static_cast<std::int64_t>(position().images));
  }

  // Returns nothing if the run was stopped during the validation.
  Outcome<std::optional<model::eval::Evaluation>> evaluate(const Validation& validation,
                                                           model::darknet::StoredWeights judged_weights) {
    auto judged = validation.judge(network(), std::move(judged_weights), resolved_.threads, stop_asked_);
    if (judged && !*judged) report_.stopped = true;
    return judged;
  }

  // A resumed run evaluates the start weights too, because the report shows their scores.
  Outcome<void> judge_start(const Validation& validation) {
    auto judged = evaluate(validation, task_.weights);
    if (!judged) return std::move(judged).error();
    if (!*judged) return {};
    before_ = std::move(**judged);
    if (position().step > 0 || report_.ap50) return {};
    const CurvePoint point{0, 0, {}, before_->mean.ap50, before_->mean.ap50_95};
    curve_.add(point);
    (void)take_score(point);
    after_ = before_;
    report_failure(write_weights(task_.weights));
    line_.keep(text_of(status()));
    return {};
  }

  Outcome<void> judge(const Validation& validation) {
    auto judged = evaluate(validation, weights());
    if (!judged) return std::move(judged).error();
    position().seconds = seconds();
    if (!*judged) return {};
    const auto& mean = (*judged)->mean;
    const auto loss = averages_ ? std::optional(averages_->loss.total) : std::nullopt;
    const CurvePoint point{position().seconds / 60, position().step, loss, mean.ap50, mean.ap50_95};
    curve_.add(point);
    report_failure(curve_.write());
    if (take_score(point)) {
      after_ = std::move(**judged);
      report_failure(write_weights(weights()));
    }
    line_.keep(text_of(status()));
    report_.out_of_patience = options_.patience > 0 && since_best_ >= options_.patience;
    return {};
  }

  // A resumed run that found no better weights has the best weights only in their file.
  void judge_kept(const Validation& validation) {
    if (after_ || !report_.ap50) return;
    auto kept = model::darknet::read_stored_weights(run_file(options_, "weights"), network());
    if (!kept) return report_failure(std::move(kept).error());
    if (auto judged = evaluate(validation, std::move(*kept)); judged && *judged) after_ = std::move(**judged);
  }

  // Tries to write each file, even if another file failed. Before the first validation it writes the latest weights.
  void save() {
    saved_ = Clock::now();
    unsaved_.reset();
    if (!report_.ap50) {
      report_failure(write_weights(weights()));
    } else if (unwritten_weights_) {
      report_failure(write_weights(std::move(*unwritten_weights_)));
    }
    report_failure(learner_->save(run_file(options_, "checkpoint"), position(), resolved_.note));
    report_failure(curve_.write());
    report_failure(write_text(run_file(options_, "svg"), plot_svg(curve_.points(), stem())));
    report_.report = run_file(options_, "report.md");
    report_failure(write_text(report_.report, report_text(facts())));
  }

  [[nodiscard]] ReportFacts facts() const {
    ReportFacts facts;
    facts.name = stem();
    facts.cfg = options_.cfg;
    facts.folder = options_.folder;
    facts.source = task_.data;
    facts.start = task_.start;
    facts.end = end_sentence();
    facts.names = task_.names;
    facts.steps = position().step;
    facts.images = position().images;
    facts.minutes = position().seconds / 60;
    facts.best_step = report_.best_step;
    facts.before = before_;
    facts.after = after_;
    return facts;
  }

  [[nodiscard]] std::string end_sentence() const {
    if (report_.stopped) return "it was stopped; --resume goes on";
    if (report_.out_of_patience)
      return "there was no better AP50 in " + std::to_string(since_best_) + " validations (--patience)";
    return done(position().step) >= 1 ? "all steps are done" : "it is under way";
  }

  // If weights cannot be written, the run keeps them and tries again at the next interval.
  Outcome<void> write_weights(model::darknet::StoredWeights written) {
    if (!all_finite(network(), written))
      return Error{ErrorCode::kInternal, "weights that are not finite are not written"};
    auto done = model::darknet::write_weights(run_file(options_, "weights"), network(), written);
    unwritten_weights_.reset();
    if (!done) unwritten_weights_ = std::move(written);
    return done;
  }

  void report_failure(const Outcome<void>& written) {
    if (written) return;
    line_.keep("yolod-train: " + written.error().message);
    if (!unsaved_) unsaved_ = written.error();
  }

  const RunOptions& options_;
  const Resolved resolved_;
  TrainingTask task_;
  const std::unique_ptr<Learner> learner_;
  const std::function<bool()> stop_asked_;
  const Clock::time_point started_{Clock::now()};
  Loader loader_;
  Curve curve_;
  tools::ProgressLine line_{tools::ProgressLine::Elsewhere::kLines};
  RunPosition begun_at_;  // where this process began
  RunReport report_;
  // The scores of the last validation, and the evaluations of the start weights and of the best weights.
  std::optional<double> ap50_;
  std::optional<double> ap50_95_;
  std::optional<model::eval::Evaluation> before_;
  std::optional<model::eval::Evaluation> after_;
  std::size_t since_best_{0};  // number of validations
  std::optional<model::darknet::StoredWeights> unwritten_weights_;
  std::optional<MovingAverages> averages_;
  std::uint64_t next_requested_{0};
  std::size_t judged_{0};  // number of validations that are done or were skipped
  std::size_t loss_mark_{0};
  Clock::time_point saved_{Clock::now()};
  std::optional<Error> unsaved_;  // from the last attempt
};

double default_rate(const TrainingTask& task) {
  if (!task.has_start) return kFreshRate;
  return task.fine_tunes() ? kTunedRate : kStartedRate;
}

std::optional<std::uint64_t> step_count(const RunOptions& options, const TrainingTask& task) {
  constexpr std::uint64_t kTimesEach = 100;
  if (options.steps || options.minutes) return options.steps;
  return std::max<std::uint64_t>(kLeastSteps, kTimesEach * task.picture_count / options.batch);
}

}  // namespace

Outcome<RunReport> run_training(const RunOptions& options, const std::function<bool()>& stop_asked) {
  if (options.minutes && options.steps)
    return Error{ErrorCode::kBadConfig, "minutes or steps can say how long the run is, not both"};
  if (!options.pictures && !options.minutes && !options.steps)
    return Error{ErrorCode::kBadConfig, "scenes have no end: --minutes or --steps must say how long the run is"};
  const auto precision = learning_precision(options.precision);
  if (!precision) return precision.error();
  auto task = prepare_task(options);
  if (!task) return std::move(task).error();
  if (auto prepared = prepare_folder(options, *task); !prepared) return std::move(prepared).error();
  model::image::prepare_opencv();  // OpenCV's own threads would be too many
  LearnerSettings settings;
  settings.threads = options.threads == 0 ? common::usable_cpu_count() : options.threads;
  settings.precision = *precision;
  settings.moves_statistics = !task->keeps_statistics;
  settings.objectives = task->objectives;
  auto learner = Learner::create(task->network, task->weights, settings);
  if (!learner) return std::move(learner).error();
  Resolved resolved{settings.threads, *precision, options.rate.value_or(default_rate(*task)),
                    step_count(options, *task), run_note(options, task->cfg_text, task->fine_tunes())};
  try {
    return Run(options, std::move(resolved), std::move(*task), std::move(learner).value(), stop_asked).go();
  } catch (const std::exception& error) {
    return Error{ErrorCode::kInternal, common::printable(error.what(), 300)};
  }
}

}  // namespace yolod::train
