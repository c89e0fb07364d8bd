// yolod-scenes: writes drawn street scenes and their labels.
//
//   yolod-scenes --seed 1000007 --count 500 --output test/     0000.jpg 0000.txt ... demo.names
//   yolod-scenes --demo --output model/data                    the pictures that are shipped
#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>

#include "common/outcome.hpp"
#include "tools/scenes/demo_scenes.hpp"
#include "tools/scenes/scene.hpp"
#include "tools/scenes/scene_files.hpp"
#include "tools/scenes/scene_shares.hpp"
#include "tools/yolodctl/progress.hpp"

namespace yolod::scenes {
namespace {

using common::Outcome;

struct Request {
  std::uint64_t seed{kFirstTestSeed};
  std::uint64_t first{0};
  std::uint64_t count{0};
  std::string output;
  SceneOptions scene;
  bool demo{false};
};

std::string number_name(std::uint64_t index) {
  auto name = std::to_string(index);
  if (name.size() < 4) name.insert(0, 4 - name.size(), '0');
  return name;
}

Outcome<void> write_series(const Request& request, SceneShares& shares) {
  tools::ProgressBar progress;
  for (std::uint64_t i = 0; i < request.count; ++i) {
    progress.draw(static_cast<double>(i) / static_cast<double>(request.count),
                  std::to_string(i) + " of " + std::to_string(request.count) + " scenes");
    const auto index = request.first + i;
    const auto scene = draw_scene(request.seed, index, request.scene);
    shares.add(scene);
    if (auto written = write_scene(scene, request.output, number_name(index)); !written) return written;
  }
  return {};
}

Outcome<void> write_demo(const Request& request, SceneShares& shares) {
  for (const auto& demo : kDemoScenes) {
    const auto scene = draw_scene(kDemoSeed, demo.index, kDemoOptions);
    shares.add(scene);
    if (auto written = write_scene(scene, request.output, std::string(demo.name)); !written) return written;
  }
  return {};
}

int run(const Request& request) {
  std::error_code failed;
  std::filesystem::create_directories(request.output, failed);
  if (failed) {
    std::fprintf(stderr, "yolod-scenes: %s: %s\n", request.output.c_str(), failed.message().c_str());
    return 1;
  }
  SceneShares shares;
  auto written = request.demo ? write_demo(request, shares) : write_series(request, shares);
  if (written) written = write_names(request.output);
  if (!written) {
    std::fprintf(stderr, "yolod-scenes: %s\n", written.error().message.c_str());
    return 1;
  }
  std::printf("%s\n", shares.text().c_str());
  return 0;
}

}  // namespace
}  // namespace yolod::scenes

int main(int argc, char** argv) {
  yolod::scenes::Request request;
  CLI::App app{"Draws street scenes with traffic lights, and says what is in them: pictures with YOLO-format labels.",
               "yolod-scenes"};
  auto* count = app.add_option("--count", request.count, "how many")->check(CLI::PositiveNumber);
  app.add_option("--seed", request.seed, "0: demo pictures; 1000000 and above: tests; others: training")
      ->capture_default_str();
  app.add_option("--first", request.first, "the first one's number")->capture_default_str();
  app.add_option("--output", request.output, "a folder; made if it is not there")->required()->type_name("DIR");
  app.add_option("--width", request.scene.width, "pixels")->check(CLI::Range(64, 4096))->capture_default_str();
  app.add_option("--height", request.scene.height, "pixels")->check(CLI::Range(64, 4096))->capture_default_str();
  app.add_flag("--demo", request.demo, "the pictures that are shipped, instead")->excludes(count);
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
