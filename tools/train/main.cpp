// yolod-train trains a Darknet detector on the user's pictures, or on drawn scenes of traffic lights, and writes
// Darknet weights.
//
//   yolod-train --cfg my.cfg --images photos --labels labels --names my.names --weights start.weights
//   yolod-train --scenes --cfg model/data/demo.cfg --output training --steps 12000
//
// The second command made model/data/demo.weights (see docs/training.md). SIGINT and SIGTERM end a run after the
// present step, with a checkpoint. The same command with --resume continues the run. A second signal of the same
// kind ends the process at once.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "common/system/cpu_count.hpp"
#include "model/image/opencv.hpp"
#include "model/sources/labels.hpp"
#include "tools/progress/progress_bar.hpp"
#include "tools/scenes/scene.hpp"
#include "tools/train/made_anchors.hpp"
#include "tools/train/picture_source.hpp"
#include "tools/train/run.hpp"
#include "tools/train/run_status.hpp"
#include "tools/train/speed.hpp"

namespace {

using namespace yolod;

int report(const common::Error& error) {
  std::fprintf(stderr, "yolod-train: %s\n", error.message.c_str());
  const bool is_asked_wrongly =
      error.code == common::ErrorCode::kBadConfig || error.code == common::ErrorCode::kInvalidParameter;
  return is_asked_wrongly ? 2 : 1;
}

std::atomic<bool> stop_came{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler writes it

// Records the first SIGINT or SIGTERM. A second signal of the same kind has its default action. A blocked signal
// mask is no substitute for the handler: a library of LibTorch starts a thread before main(), which blocks no signal
// and would receive it. An ignored signal stays ignored, for example SIGINT for a background program of a script.
void note_stop_signals() {
  struct sigaction note {};
  note.sa_handler = [](int) { stop_came = true; };
  note.sa_flags = SA_RESETHAND | SA_RESTART;
  sigemptyset(&note.sa_mask);
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction present {};
    if (::sigaction(signal, nullptr, &present) == 0 && present.sa_handler != SIG_IGN)
      ::sigaction(signal, &note, nullptr);
  }
}

// The maps of a step are megabytes each, and the step frees them at its end. With these settings malloc keeps the
// memory, in huge pages, and does not ask the kernel for it again. Training is a third faster. glibc reads the
// settings before main(), so the program executes itself once more.
void keep_memory(char** argv) {
  constexpr const char* kName = "GLIBC_TUNABLES";
  if (std::getenv(kName) != nullptr) return;
  ::setenv(kName,
           "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.arena_max=1:"
           "glibc.malloc.trim_threshold=17179869184:glibc.malloc.top_pad=134217728",
           0);
  // With this, LibTorch's threads sleep while they wait, and other programs get the processors.
  ::setenv("OMP_WAIT_POLICY", "passive", 0);
  // Execute the program by its real path, because ps shows that name. If this fails, training works without the
  // settings.
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (!failed) ::execv(program.c_str(), argv);
}

void add_precision(CLI::App& command, common::Precision& precision) {
  static const std::map<std::string, common::Precision> kNames{
      {"auto", common::Precision::kAuto}, {"fp32", common::Precision::kFp32}, {"bf16", common::Precision::kBf16}};
  command
      .add_option("--precision", precision,
                  "precision of training: auto (bf16 if the processor supports it), fp32 or bf16")
      ->transform(CLI::CheckedTransformer(kNames))
      ->type_name("P");
}

int run(const train::RunOptions& options) {
  note_stop_signals();
  const auto finished = train::run_training(options, [] { return stop_came.load(); });
  if (!finished) return report(finished.error());
  const auto& position = finished->position;
  const char* end = finished->stopped           ? "stopped"
                    : finished->out_of_patience ? "ended, as nothing got better,"
                                                : "done";
  std::printf("%s after %llu steps, %llu images, %.1f minutes (%.1f of them waiting for pictures)\n", end,
              static_cast<unsigned long long>(position.step), static_cast<unsigned long long>(position.images),
              position.seconds / 60, finished->waited_seconds / 60);
  std::printf("best AP50 %s, AP50:95 %s, of step %llu; report: %s\n", train::number_or_dash(finished->ap50, 4).c_str(),
              train::number_or_dash(finished->ap50_95, 4).c_str(), static_cast<unsigned long long>(finished->best_step),
              finished->report.c_str());
  // The run has already reported each file that could not be written.
  return finished->unsaved ? 1 : 0;
}

// The options of the command line for a run.
struct RunWords {
  train::RunOptions options;
  train::PictureOptions pictures;
  bool scenes{false};
  bool keeps_sides{false};
};

// Throws if an option is missing, or if options contradict each other. The options belong to no subcommand, so CLI11
// cannot require them.
void check(const RunWords& words) {
  const auto& pictures = words.pictures;
  const bool has_pictures = !pictures.images.empty() || !pictures.labels.empty() || !pictures.names.empty();
  if (words.options.cfg.empty()) throw CLI::RequiredError("--cfg");
  if (words.scenes && has_pictures)
    throw CLI::ValidationError("--scenes", "goes without --images, --labels and --names");
  if (words.scenes) return;
  if (pictures.images.empty()) throw CLI::RequiredError("--images (or --scenes)");
  if (pictures.labels.empty()) throw CLI::RequiredError("--labels");
  if (pictures.names.empty()) throw CLI::RequiredError("--names");
}

void add_run(CLI::App& app, int& exit_code) {
  constexpr std::size_t kPatience = 8;
  const auto words = std::make_shared<RunWords>();
  auto& options = words->options;
  auto& pictures = words->pictures;
  options.folder = "training";
  app.add_option("--cfg", options.cfg, "Darknet's description of the network")->type_name("FILE");
  app.add_option("--images", pictures.images, "the pictures to learn from")->type_name("DIR");
  app.add_option("--labels", pictures.labels, "their labels: YOLO-format files, named as the pictures are")
      ->type_name("DIR");
  app.add_option("--names", pictures.names, "the names of the classes, one a line")->type_name("FILE");
  app.add_flag("--scenes", words->scenes, "learn from drawn scenes of traffic lights instead");
  app.add_option(
         "--weights", options.weights,
         "weights to begin with, of this cfg with any number of classes, or of its first layers; default random")
      ->type_name("FILE");
  app.add_option("--classes", options.classes, "how many classes; default as many as there are names")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--output", options.folder, "where weights, report, plot and checkpoint are written")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--held-out", pictures.held_out, "share of the pictures that is not learned from but measured with")
      ->check(CLI::Range(0.001, 0.999))
      ->capture_default_str();
  auto* minutes =
      app.add_option("--minutes", options.minutes, "how long, by the clock")->check(CLI::Range(0.01, 100'000.0));
  auto* steps = app.add_option("--steps", options.steps,
                               "how long, by steps; default a hundred times each picture, at least 300 steps")
                    ->check(CLI::Range(1, 100'000'000));
  minutes->excludes(steps);
  auto* patience = app.add_option("--patience", options.patience,
                                  "end after so many validations without a better AP50; 0: never; default 8, or 0 with "
                                  "--scenes")
                       ->check(CLI::Range(0, 10'000));
  app.add_flag("--resume", options.resume, "go on from the checkpoint in --output");
  app.add_flag("--no-flip", words->keeps_sides, "do not mirror pictures; use it for arrows, text and similar objects");
  app.add_option("--seed", options.seed, "of random weights, the order of pictures and the held-out share")
      ->check(CLI::Range(std::uint64_t{1}, scenes::kValidationSeed - 1))
      ->capture_default_str();
  app.add_option("--batch", options.batch, "pictures in a step")->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option(
         "--rate", options.rate,
         "the highest learning rate; default 0.002, with --weights 0.0005, or 0.00001 where they fill every layer")
      ->check(CLI::Range(1e-6, 1.0));
  app.add_option("--threads", options.threads, "that learn; default all that this process may use")
      ->check(CLI::Range(1, 1'024));
  add_precision(app, options.precision);
  app.add_option("--loader-threads", options.loader_threads, "that decode or draw pictures beside them")
      ->check(CLI::Range(1, 1'024))
      ->capture_default_str();
  app.add_option("--validations", options.validations, "in the whole run")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--fresh", options.window.fresh_per_image, "with --scenes: new scenes for each picture learned from")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  app.add_option("--validation-scenes", options.validation_scenes, "with --scenes: how many a validation looks at")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.final_callback([&app, words, patience, &exit_code] {
    if (!app.get_subcommands().empty()) return;
    check(*words);
    if (!words->scenes) {
      if (words->keeps_sides) words->pictures.flip_chance = 0;
      words->options.pictures = words->pictures;
      if (patience->count() == 0) words->options.patience = kPatience;
    }
    exit_code = run(words->options);
  });
}

struct AnchorOptions {
  std::size_t count{6};
  std::size_t scenes{1'000};
  std::vector<int> input{416, 416};
  std::string images;  // empty: use scenes
  std::string labels;
  std::string names;
};

common::Outcome<train::AnchorClusters> clusters_of(const AnchorOptions& options) {
  const model::image::Size input{options.input[0], options.input[1]};
  if (!options.images.empty()) {
    const auto names = model::darknet::read_names(options.names, 0);
    if (!names) return names.error();
    const auto folder = train::read_picture_folder(options.images, options.labels, names->size());
    if (!folder) return folder.error();
    return train::anchors_of_labels(input, folder->pictures, options.count);
  }
  model::image::prepare_opencv();  // OpenCV's own threads cost more than they save
  tools::ProgressBar progress;
  return train::anchors_of_scenes(input, options.scenes, options.count, [&](std::size_t drawn) {
    progress.draw(static_cast<double>(drawn) / static_cast<double>(options.scenes),
                  std::to_string(drawn) + " of " + std::to_string(options.scenes) + " scenes");
  });
}

int anchors(const AnchorOptions& options) {
  const auto clusters = clusters_of(options);
  if (!clusters) return report(clusters.error());
  std::string list;
  for (const auto& anchor : clusters->anchors) {
    char text[64];
    std::snprintf(text, sizeof text, "%s%.1f,%.1f", list.empty() ? "" : ", ", static_cast<double>(anchor.width),
                  static_cast<double>(anchor.height));
    list += text;
  }
  std::printf("anchors=%s\nnum=%zu\n# mean IoU with the nearest: %.3f\n", list.c_str(), options.count,
              clusters->mean_iou);
  return 0;
}

void add_anchors(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("anchors", "cluster the sizes of labels, or of lights in drawn scenes");
  const auto options = std::make_shared<AnchorOptions>();
  command->add_option("--count", options->count, "how many anchors")->check(CLI::Range(1, 100))->capture_default_str();
  auto* images =
      command->add_option("--images", options->images, "a folder of pictures; default scenes")->type_name("DIR");
  auto* labels = command->add_option("--labels", options->labels, "their labels")->type_name("DIR")->needs(images);
  auto* names =
      command->add_option("--names", options->names, "the names of the classes")->type_name("FILE")->needs(images);
  images->needs(labels)->needs(names);
  command->add_option("--scenes", options->scenes, "how many scenes")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--input", options->input, "the network's input: width and height")
      ->expected(2)
      ->check(CLI::Range(8, 4'096))
      ->capture_default_str();
  command->callback([options, &exit_code] { exit_code = anchors(*options); });
}

int speed(const train::SpeedOptions& options) {
  const auto measured = train::learning_speed(options);
  if (!measured) return report(measured.error());
  std::printf(
      "%.1f images/s, %.1f by the time of the processors: forward, backward, updated; batches of %zu, %zu threads\n",
      measured->images_per_second, measured->images_per_cpu_second, options.batch, options.threads);
  return 0;
}

void add_speed(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("speed", "measure how fast a network learns, without scenes");
  const auto options = std::make_shared<train::SpeedOptions>();
  options->threads = common::usable_cpu_count();
  const auto seconds = std::make_shared<double>(10);
  command->add_option("--cfg", options->cfg, "Darknet's description of the network")->required()->type_name("FILE");
  command->add_option("--batch", options->batch, "pictures in a step")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "that learn")->check(CLI::Range(1, 1'024))->capture_default_str();
  add_precision(*command, options->precision);
  command->add_option("--seconds", *seconds, "how long to measure")
      ->check(CLI::Range(0.1, 3'600.0))
      ->capture_default_str();
  command->callback([options, seconds, &exit_code] {
    options->time = std::chrono::duration<double>(*seconds);
    exit_code = speed(*options);
  });
}

}  // namespace

int main(int argc, char** argv) {
  keep_memory(argv);
  CLI::App app{"Trains a Darknet detector on labelled pictures, or on drawn scenes of traffic lights.", "yolod-train"};
  app.require_subcommand(0, 1);
  int exit_code = 0;
  add_run(app, exit_code);
  add_anchors(app, exit_code);
  add_speed(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "yolod-train: %s\n", error.what());
    return 1;
  }
  return exit_code;
}
