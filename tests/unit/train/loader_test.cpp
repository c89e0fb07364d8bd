#include "tools/train/loader.hpp"

#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <opencv2/core.hpp>
#include <stdexcept>
#include <vector>

#include "tools/train/scene_source.hpp"

using namespace yolod::train;

namespace {

LoaderSettings settings(std::size_t threads) {
  LoaderSettings chosen;
  chosen.seed = 3;
  chosen.batch = 3;
  chosen.augment.input = {64, 64};
  chosen.threads = threads;
  return chosen;
}

WindowSettings small_window() {
  WindowSettings window;
  window.at_first = 4;
  return window;
}

Batch batch_of(Loader& loader) {
  auto batch = loader.take();
  REQUIRE(batch.ok());
  return std::move(batch).value();
}

}  // namespace

TEST_CASE("Loader: batches come in the requested order, and all differ", "[train][unit]") {
  SceneSource source(3, small_window(), 3);
  Loader loader(settings(3), source);
  for (std::uint64_t step = 0; step < 3; ++step) loader.request(step, Stage::kMixed);
  CHECK(loader.requested() == 3);
  const auto first = batch_of(loader);
  CHECK(first.images() == 3);
  CHECK(first.pixels.size() == 3U * 64 * 64 * 3);
  CHECK(batch_of(loader).pixels != first.pixels);
  CHECK(loader.requested() == 1);
}

TEST_CASE("Loader: unused batches are dropped", "[train][unit]") {
  SceneSource source(3, small_window(), 3);
  Loader loader(settings(1), source);
  for (std::uint64_t step = 0; step < 20; ++step) loader.request(step, Stage::kPlain);
  CHECK(loader.requested() == 20);
}

TEST_CASE("Loader: a picture that cannot be loaded is an error that names it", "[train][unit]") {
  class Broken final : public SampleSource {
   public:
    void begin(std::uint64_t /*step*/) override {}
    std::shared_ptr<const LabelledPicture> choose(std::uint64_t /*step*/, RandomStream& /*random*/) override {
      throw std::runtime_error("a.jpg: it is cut short");
    }
  };
  Broken source;
  Loader loader(settings(2), source);
  loader.request(0, Stage::kMixed);
  const auto batch = loader.take();
  REQUIRE_FALSE(batch.ok());
  CHECK(batch.error().message == "a picture cannot be learned from: a.jpg: it is cut short");
}

TEST_CASE("SceneSource: the window grows, then moves on", "[train][unit]") {
  WindowSettings window;
  window.at_first = 10;
  window.at_most = 30;
  window.fresh_per_image = 0.5;
  const auto at = [&](std::uint64_t step) { return window_at(window, step, 4); };
  CHECK(at(0).first == 0);
  CHECK(at(0).end == 10);
  CHECK(at(5).first == 0);
  CHECK(at(5).end == 20);
  CHECK(at(20).first == 20);
  CHECK(at(20).end == 50);
}

TEST_CASE("SceneSource: a scene is drawn once and freed when the window has passed it", "[train][unit]") {
  WindowSettings window;
  window.at_first = 8;
  window.at_most = 8;
  window.fresh_per_image = 1;
  SceneSource source(3, window, 8);
  const auto scene = source.get(7);
  CHECK(source.get(7) == scene);
  source.begin(1);
  const auto again = source.get(7);
  CHECK(again != scene);
  CHECK(again->objects.size() == scene->objects.size());
}

TEST_CASE("SceneSource: if many threads need the same scene, only one thread draws it", "[train][unit]") {
  SceneSource source(3, small_window(), 3);
  std::vector<std::future<std::shared_ptr<const LabelledPicture>>> wanted;
  for (int i = 0; i < 8; ++i) wanted.push_back(std::async(std::launch::async, [&] { return source.get(5); }));
  const auto scene = wanted.front().get();
  REQUIRE(scene != nullptr);
  for (std::size_t i = 1; i < wanted.size(); ++i) CHECK(wanted[i].get() == scene);
}
