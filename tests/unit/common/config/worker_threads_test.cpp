#include "common/config/worker_threads.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace yolod::common {
namespace {

ModelConfig model(std::uint32_t workers, std::uint32_t threads) {
  ModelConfig config;
  config.workers = workers;
  config.threads = threads;
  return config;
}

constexpr std::uint32_t kAuto = 0;

}  // namespace

TEST_CASE("WorkerThreads: auto shares the cores among the model's workers", "[common][unit]") {
  CHECK(threads_per_worker(model(1, kAuto), 8) == 8);
  CHECK(threads_per_worker(model(3, kAuto), 8) == 2);
  CHECK(threads_per_worker(model(16, kAuto), 8) == 1);
  CHECK(threads_per_worker(model(3, 5), 8) == 5);
}

TEST_CASE("WorkerThreads: pictures are decoded ahead if a core is free for that", "[common][unit]") {
  CHECK(may_decode_ahead(model(1, 1), "cpu", 2));
  CHECK_FALSE(may_decode_ahead(model(2, 1), "cpu", 2));
  CHECK_FALSE(may_decode_ahead(model(1, 2), "cpu", 4));
  CHECK(may_decode_ahead(model(4, 4), "cuda:0", 2));
  CHECK_FALSE(may_decode_ahead(model(1, 1), "cuda:0", 1));
}

TEST_CASE("WorkerThreads: threads spin if each of them has a core and one core is left", "[common][unit]") {
  const auto wait = [](const std::vector<ModelConfig>& models) { return how_threads_wait(models, 8); };
  CHECK(wait({model(1, 7)}) == kThreadsSpin);
  CHECK(wait({model(3, kAuto)}) == kThreadsSpin);
  CHECK(wait({model(1, kAuto)}) == kThreadsSleep);
  CHECK(wait({model(2, 4)}) == kThreadsSleep);
  CHECK(wait({model(2, 3), model(1, 1)}) == kThreadsSpin);
  CHECK(wait({model(2, 3), model(1, 2)}) == kThreadsSleep);
  CHECK(wait({model(16, kAuto)}) == kThreadsSleep);
  CHECK(wait({model(1, kAuto), model(1, kAuto)}) == kThreadsSleep);
  CHECK(how_threads_wait(std::vector{model(4'000'000'000, 1024)}, 8) == kThreadsSleep);
}

}  // namespace yolod::common
