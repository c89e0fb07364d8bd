// yolod-scenes writes drawn street scenes and their labels.
//
//   yolod-scenes --seed 1000007 --count 500 --output test/     0000.jpg 0000.txt ... demo.names
//   yolod-scenes --demo --output model/data                    the pictures in model/data
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <opencv2/core/utility.hpp>
#include <string>
#include <system_error>

#include "common/outcome.hpp"
#include "common/system/cpu_count.hpp"
#include "tools/progress/progress_bar.hpp"
#include "tools/scenes/demo_scenes.hpp"
#include "tools/scenes/scene.hpp"
#include "tools/scenes/scene_files.hpp"
#include "tools/scenes/scene_series.hpp"

namespace yolod::scenes {
namespace {

struct Request {
  std::uint64_t seed{kFirstTestSeed};
  std::uint64_t first{0};
  std::uint64_t count{0};
  std::string output;
  SceneOptions scene;
  std::size_t threads{common::usable_cpu_count()};
  bool demo{false};
};

std::string number_name(std::uint64_t index) {
  auto name = std::to_string(index);
  if (name.size() < 4) name.insert(0, 4 - name.size(), '0');
  return name;
}

SceneSeries series_of(const Request& request) {
  if (request.demo) {
    SceneSeries series{kDemoSeed, kDemoOptions, {}};
    for (const auto& demo : kDemoScenes) series.members.push_back({demo.index, std::string(demo.name)});
    return series;
  }
  SceneSeries series{request.seed, request.scene, {}};
  for (std::uint64_t i = 0; i < request.count; ++i)
    series.members.push_back({request.first + i, number_name(request.first + i)});
  return series;
}

int fail(const std::string& what) {
  std::fprintf(stderr, "yolod-scenes: %s\n", what.c_str());
  return 1;
}

common::Outcome<SceneShares> write_with_progress(const SceneSeries& series, const Request& request) {
  tools::ProgressBar progress;
  const auto count = series.members.size();
  return write_scenes(series, request.output, request.threads, [&](std::size_t written) {
    progress.draw(static_cast<double>(written) / static_cast<double>(count),
                  std::to_string(written) + " of " + std::to_string(count) + " scenes");
  });
}

int run(const Request& request) {
  std::error_code failed;
  std::filesystem::create_directories(request.output, failed);
  if (failed) return fail(request.output + ": " + failed.message());
  cv::setNumThreads(1);  // this program has one thread for each scene
  const auto shares = write_with_progress(series_of(request), request);
  if (!shares) return fail(shares.error().message);
  if (const auto written = write_names(request.output); !written) return fail(written.error().message);
  std::printf("%s\n", shares.value().text().c_str());
  return 0;
}

}  // namespace
}  // namespace yolod::scenes

int main(int argc, char** argv) {
  yolod::scenes::Request request;
  CLI::App app{"Draws street scenes with traffic lights, with labels in YOLO format for what the pictures show.",
               "yolod-scenes"};
  auto* count = app.add_option("--count", request.count, "the number of scenes")->check(CLI::PositiveNumber);
  auto* seed = app.add_option("--seed", request.seed,
                              "0: demo pictures; 999999: validation; 1000000 and above: tests; others: training")
                   ->capture_default_str();
  auto* first = app.add_option("--first", request.first, "the number of the first scene")->capture_default_str();
  app.add_option("--output", request.output, "a folder, created if missing")->required()->type_name("DIR");
  auto* width =
      app.add_option("--width", request.scene.width, "pixels")->check(CLI::Range(64, 4096))->capture_default_str();
  auto* height =
      app.add_option("--height", request.scene.height, "pixels")->check(CLI::Range(64, 4096))->capture_default_str();
  app.add_option("--threads", request.threads, "threads that draw; default all cores that this process may use")
      ->check(CLI::Range(1, 1'024));
  auto* demo = app.add_flag("--demo", request.demo, "write the pictures of model/data instead");
  for (auto* ignored : {count, seed, first, width, height}) demo->excludes(ignored);
  try {
    app.parse(argc, argv);
    if (!request.demo && request.count == 0) throw CLI::RequiredError("--count or --demo");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    return yolod::scenes::run(request);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "yolod-scenes: %s\n", error.what());
    return 1;
  }
}
