#include "tools/train/loader.hpp"

#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <opencv2/core.hpp>
#include <vector>

using namespace yolod::train;

namespace {

LoaderSettings settings(std::size_t threads) {
  LoaderSettings chosen;
  chosen.seed = 3;
  chosen.batch = 3;
  chosen.input = {64, 64};
  chosen.threads = threads;
  chosen.window.at_first = 4;
  return chosen;
}

Batch batch_of(Loader& loader) {
  auto batch = loader.take();
  REQUIRE(batch.ok());
  return std::move(batch).value();
}

}  // namespace

TEST_CASE("Loader: a batch follows from its step, not from threads or from what came before", "[train][unit]") {
  Loader one(settings(1));
  Loader three(settings(3));
  std::vector<std::vector<float>> pixels;
  for (std::uint64_t step = 0; step < 4; ++step) {
    one.request(step, Stage::kMixed);
    three.request(step, Stage::kMixed);
  }
  CHECK(one.requested() == 4);
  for (int step = 0; step < 4; ++step) {
    pixels.push_back(batch_of(one).pixels);
    CHECK(pixels.back() == batch_of(three).pixels);
  }
  CHECK(one.requested() == 0);
  CHECK(pixels[0] != pixels[1]);
  // As a run that goes on from there does.
  Loader later(settings(2));
  later.request(3, Stage::kMixed);
  CHECK(batch_of(later).pixels == pixels[3]);
}

TEST_CASE("Loader: what nobody takes is dropped", "[train][unit]") {
  Loader loader(settings(1));
  for (std::uint64_t step = 0; step < 20; ++step) loader.request(step, Stage::kPlain);
  CHECK(loader.requested() == 20);
}

TEST_CASE("ScenePool: the window grows, then moves on", "[train][unit]") {
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

TEST_CASE("ScenePool: a scene is drawn once", "[train][unit]") {
  ScenePool pool(3);
  const auto scene = pool.get(7);
  CHECK(pool.get(7) == scene);
  pool.forget_below(8);
  const auto again = pool.get(7);
  CHECK(again != scene);
  CHECK(again->lights.size() == scene->lights.size());
}

TEST_CASE("ScenePool: of many who want a scene at once one draws it", "[train][unit]") {
  ScenePool pool(3);
  std::vector<std::future<std::shared_ptr<const yolod::scenes::Scene>>> wanted;
  for (int i = 0; i < 8; ++i) wanted.push_back(std::async(std::launch::async, [&] { return pool.get(5); }));
  const auto scene = wanted.front().get();
  REQUIRE(scene != nullptr);
  for (std::size_t i = 1; i < wanted.size(); ++i) CHECK(wanted[i].get() == scene);
}

TEST_CASE("ScenePool: who comes late for a scene that is gone gets the same picture", "[train][unit]") {
  ScenePool pool(3);
  const auto in_time = pool.get(2);
  std::vector<std::future<std::shared_ptr<const yolod::scenes::Scene>>> wanted;
  for (int i = 0; i < 4; ++i) {
    wanted.push_back(std::async(std::launch::async, [&] { return pool.get(2); }));
    pool.forget_below(3);
  }
  for (auto& scene : wanted) {
    const auto late = scene.get();
    REQUIRE(late != nullptr);
    CHECK(cv::norm(late->picture, in_time->picture, cv::NORM_INF) == 0);
  }
}
