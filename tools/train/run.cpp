#include "tools/train/run.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "common/clock.hpp"
#include "common/cpu_count.hpp"
#include "common/text.hpp"
#include "model/darknet/write_weights.hpp"
#include "model/darknet_files.hpp"
#include "model/image/decode.hpp"
#include "model/precision.hpp"
#include "tools/train/loader.hpp"
#include "tools/train/progress_line.hpp"
#include "tools/train/schedule.hpp"
#include "tools/train/validation.hpp"

namespace yolod::train {
namespace {

using common::Clock;
using common::Error;
using common::ErrorCode;
using common::Outcome;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// A line's numbers, moving averages over some fifty steps.
struct Shown {
  LossValues loss;
  double images_per_s{0};
  bool any{false};

  void take(const LossValues& step, double speed) {
    const auto blend = [this](double& value, double next) { value = any ? value + 0.02 * (next - value) : next; };
    blend(loss.total, step.total);
    blend(loss.box, step.box);
    blend(loss.object, step.object);
    blend(loss.classes, step.classes);
    blend(images_per_s, speed);
    any = true;
  }
};

std::size_t threads_of(const RunOptions& options) {
  return options.threads == 0 ? common::usable_cpu_count() : options.threads;
}

class Run {
 public:
  Run(const RunOptions& options, model::darknet::Network network, std::unique_ptr<Learner> learner)
      : options_(options),
        network_(std::move(network)),
        learner_(std::move(learner)),
        threads_(threads_of(options)),
        loader_({options.seed,
                 options.batch,
                 {network_.input.width, network_.input.height},
                 options.loader_threads,
                 options.window}) {}

  Outcome<RunReport> go(const std::function<bool()>& stop_asked) {
    if (options_.resume) {
      auto position = learner_->load(file("checkpoint"));
      if (!position) return std::move(position).error();
      report_.position = *position;
    }
    seconds_before_ = report_.position.seconds;
    next_requested_ = report_.position.step;
    validation_.emplace(kValidationSeed, options_.validation_scenes, threads_);
    saved_ = Clock::now();
    std::size_t judged = judged_at(done(report_.position.step));
    while (done(report_.position.step) < 1) {
      if (stop_asked()) {
        report_.stopped = true;
        break;
      }
      if (auto stepped = step(); !stepped) return std::move(stepped).error();
      if (const auto due = judged_at(done(report_.position.step)); due > judged) {
        judged = due;
        if (auto score = judge(); !score) return std::move(score).error();
      }
      constexpr std::chrono::minutes kSaveEvery{2};
      if (Clock::now() - saved_ < kSaveEvery) continue;
      if (auto written = save(); !written) return std::move(written).error();
    }
    if (auto written = save(); !written) return std::move(written).error();
    return report_;
  }

 private:
  // 0 to 1, of the run, before a step.
  [[nodiscard]] double done(std::uint64_t step) const {
    if (options_.steps) return static_cast<double>(step) / static_cast<double>(*options_.steps);
    return report_.position.seconds / (60 * *options_.minutes);
  }

  // How many validations are due by then.
  [[nodiscard]] std::size_t judged_at(double part) const {
    return static_cast<std::size_t>(part * static_cast<double>(options_.validations));
  }

  [[nodiscard]] std::filesystem::path file(const char* extension) const {
    return (options_.folder / options_.cfg.stem()).concat(std::string(".") + extension);
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

    auto& position = report_.position;
    const double rate = options_.rate * rate_at(done(position.step), position.step);
    auto loss = learner_->step(*batch, rate, average_decay_at(position.step));
    if (!loss) return std::move(loss).error();
    ++position.step;
    position.images += batch->images();
    position.seconds = seconds_before_ + seconds_since(started_);
    shown_.take(*loss, static_cast<double>(batch->images()) / seconds_since(start));
    if (line_.due()) line_.show(status(rate));
    return {};
  }

  [[nodiscard]] std::string status(double rate) const {
    std::array<char, 240> text{};
    const auto& position = report_.position;
    const double part = done(position.step);
    const double of = options_.steps ? static_cast<double>(*options_.steps)
                                     : static_cast<double>(position.step) / std::max(part, 1e-9);
    std::snprintf(text.data(), text.size(),
                  "%5.1f min  step %llu of %s%.0f  %.1f images/s  loss %.3f (box %.3f obj %.3f class %.3f)  rate %.2g"
                  "  AP50 %.3f  AP50:95 %.3f",
                  position.seconds / 60, static_cast<unsigned long long>(position.step), options_.steps ? "" : "about ",
                  of, shown_.images_per_s, shown_.loss.total, shown_.loss.box, shown_.loss.object, shown_.loss.classes,
                  rate, report_.ap50.value_or(0), report_.ap50_95.value_or(0));
    return text.data();
  }

  Outcome<void> judge() {
    auto weights = learner_->weights(static_cast<std::int64_t>(report_.position.images));
    if (auto written = model::darknet::write_weights(file("weights"), network_, weights); !written) return written;
    const auto evaluation = validation_->judge(network_, std::move(weights), threads_);
    if (!evaluation) return evaluation.error();
    report_.ap50 = evaluation->mean.ap50;
    report_.ap50_95 = evaluation->mean.ap50_95;
    report_.position.seconds = seconds_before_ + seconds_since(started_);

    const auto curve = file("curve.tsv");
    const bool is_new = !std::filesystem::exists(curve);
    std::ofstream out(curve, std::ios::app);
    if (is_new) out << "minutes\tstep\tloss\tAP50\tAP50:95\n";
    out << report_.position.seconds / 60 << '\t' << report_.position.step << '\t' << shown_.loss.total << '\t'
        << report_.ap50.value_or(0) << '\t' << report_.ap50_95.value_or(0) << '\n';
    line_.keep(status(options_.rate * rate_at(done(report_.position.step), report_.position.step)));
    return {};
  }

  Outcome<void> save() {
    saved_ = Clock::now();
    auto written = model::darknet::write_weights(file("weights"), network_,
                                                 learner_->weights(static_cast<std::int64_t>(report_.position.images)));
    if (!written) return written;
    return learner_->save(file("checkpoint"), report_.position);
  }

  const RunOptions& options_;
  const model::darknet::Network network_;
  const std::unique_ptr<Learner> learner_;
  const std::size_t threads_;
  const Clock::time_point started_{Clock::now()};
  double seconds_before_{0};
  Loader loader_;
  std::optional<Validation> validation_;
  std::uint64_t next_requested_{0};
  RunReport report_;
  Shown shown_;
  ProgressLine line_;
  Clock::time_point saved_;
};

Outcome<void> prepare_folder(const RunOptions& options) {
  std::error_code failed;
  std::filesystem::create_directories(options.folder, failed);
  if (failed) return common::system_error(options.folder.string(), failed.value());
  return {};
}

}  // namespace

Outcome<RunReport> run_training(const RunOptions& options, const std::function<bool()>& stop_asked) {
  if (options.minutes.has_value() == options.steps.has_value())
    return Error{ErrorCode::kBadConfig, "either minutes or steps must say how long the run is"};
  auto network = model::read_network({options.cfg, {}, {}}, std::nullopt);
  if (!network) return std::move(network).error();
  if (static_cast<std::size_t>(network->classes) != scenes::kLightCount) {
    return Error{ErrorCode::kBadModel, options.cfg.string() + ": " + std::to_string(network->classes) +
                                           " classes, scenes have " + std::to_string(scenes::kLightCount)};
  }
  if (auto prepared = prepare_folder(options); !prepared) return std::move(prepared).error();
  model::image::prepare_decoder();  // OpenCV's own threads would be too many
  LearnerSettings settings;
  settings.seed = options.seed;
  settings.threads = threads_of(options);
  const auto precision = model::resolve_precision(options.precision, "cpu", model::cpu_has_native_bf16());
  if (!precision) return precision.error();
  settings.precision = *precision;
  auto learner = Learner::create(*network, settings);
  if (!learner) return std::move(learner).error();
  try {
    return Run(options, std::move(network).value(), std::move(learner).value()).go(stop_asked);
  } catch (const std::exception& error) {
    return Error{ErrorCode::kInternal, common::printable(error.what(), 300)};
  }
}

}  // namespace yolod::train
