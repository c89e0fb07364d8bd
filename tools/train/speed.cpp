#include "tools/train/speed.hpp"

#include <algorithm>
#include <ctime>
#include <utility>
#include <vector>

#include "common/clock.hpp"
#include "tools/train/learner.hpp"
#include "tools/train/random_stream.hpp"
#include "tools/train/start_weights.hpp"
#include "tools/train/trainable_cfg.hpp"

namespace yolod::train {
namespace {

Batch noise(std::size_t images, const model::darknet::Network& network) {
  constexpr int kObjects = 6;
  RandomStream random(1, 0, 0);
  Batch batch;
  batch.pixels.resize(images * static_cast<std::size_t>(network.input.count()));
  for (auto& value : batch.pixels) value = static_cast<float>(random.unit());
  batch.targets.resize(images);
  for (auto& targets : batch.targets) {
    for (int i = 0; i < kObjects; ++i) {
      Target target;
      target.class_id = static_cast<std::uint32_t>(random.below(static_cast<std::uint64_t>(network.classes)));
      target.x = static_cast<float>(random.between(0, network.input.width));
      target.y = static_cast<float>(random.between(0, network.input.height));
      target.width = static_cast<float>(random.ratio_between(4, 40));
      target.height = target.width * 2;
      targets.push_back(target);
    }
  }
  return batch;
}

}  // namespace

common::Outcome<Speed> learning_speed(const SpeedOptions& options) {
  auto cfg = read_trainable_cfg(options.cfg);
  if (!cfg) return std::move(cfg).error();
  LearnerSettings settings;
  settings.threads = options.threads;
  const auto precision = learning_precision(options.precision);
  if (!precision) return precision.error();
  settings.precision = *precision;
  auto learner = Learner::create(cfg->network, fresh_weights(cfg->network, 1), settings);
  if (!learner) return std::move(learner).error();
  const auto batch = noise(options.batch, cfg->network);

  constexpr int kWarmUpSteps = 3;
  constexpr double kRate = 1e-4;
  for (int i = 0; i < kWarmUpSteps; ++i) {
    if (auto loss = (*learner)->step(batch, kRate, 0.9); !loss) return std::move(loss).error();
  }
  std::vector<double> seconds;
  const auto cpu_start = std::clock();
  const auto end = common::Clock::now() + std::chrono::duration_cast<common::Clock::duration>(options.time);
  do {
    const auto start = common::Clock::now();
    if (auto loss = (*learner)->step(batch, kRate, 0.9); !loss) return std::move(loss).error();
    seconds.push_back(std::chrono::duration<double>(common::Clock::now() - start).count());
  } while (common::Clock::now() < end);
  const auto cpu_end = std::clock();
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2), seconds.end());
  const double cpu_seconds = static_cast<double>(cpu_end - cpu_start) / CLOCKS_PER_SEC;
  return Speed{static_cast<double>(options.batch) / seconds[seconds.size() / 2],
               static_cast<double>(options.batch * seconds.size()) / cpu_seconds};
}

}  // namespace yolod::train
