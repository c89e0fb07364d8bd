#include "tools/train/learner.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "model/darknet/write_weights.hpp"
#include "model/load_network.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/train/made_pictures.hpp"

using namespace yolod;

namespace {

std::unique_ptr<train::Learner> made_learner(std::uint64_t seed = 1, std::size_t threads = 1,
                                             common::Precision precision = common::Precision::kFp32) {
  train::LearnerSettings settings;
  settings.seed = seed;
  settings.threads = threads;
  settings.precision = precision;
  auto learner = train::Learner::create(tests::trainable_network(), settings);
  INFO((learner ? std::string() : learner.error().message));
  REQUIRE(learner.ok());
  return std::move(learner).value();
}

train::LossValues learn(train::Learner& learner, const train::Batch& batch, int steps) {
  train::LossValues last;
  for (int i = 0; i < steps; ++i) {
    const auto loss = learner.step(batch, 5e-3, 0.8);
    INFO((loss ? std::string() : loss.error().message));
    REQUIRE(loss.ok());
    last = *loss;
  }
  return last;
}

std::vector<float> all_weights(const train::Learner& learner) {
  const auto network = tests::trainable_network();
  auto stored = learner.weights(0);
  std::vector<float> all;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    for (const auto* list : model::darknet::in_file_order(network.layers[i], stored.layers[i]))
      all.insert(all.end(), list->begin(), list->end());
  }
  return all;
}

}  // namespace

TEST_CASE("Learner: 30 steps on four pictures lower the loss to a half, in bf16 too", "[train][unit]") {
  const auto precision = GENERATE(common::Precision::kFp32, common::Precision::kBf16);
  const auto learner = made_learner(1, 1, precision);
  const auto batch = tests::boxes_in_pictures();
  const auto first = learn(*learner, batch, 1);
  const auto last = learn(*learner, batch, 29);
  CHECK(last.total < first.total / 2);
  CHECK(last.box < first.box);
  CHECK(last.object < first.object);
  CHECK(last.classes < first.classes);
}

TEST_CASE("Learner: the same seed and pictures give the same weights, another seed others", "[train][unit]") {
  const auto batch = tests::boxes_in_pictures();
  const auto learner = made_learner(7);
  learn(*learner, batch, 3);
  const auto same = made_learner(7);
  learn(*same, batch, 3);
  CHECK(all_weights(*learner) == all_weights(*same));
  const auto other = made_learner(8);
  learn(*other, batch, 3);
  CHECK(all_weights(*learner) != all_weights(*other));
}

TEST_CASE("Learner: two threads give the same weights each time", "[train][unit]") {
  const auto batch = tests::boxes_in_pictures();
  const auto once = made_learner(1, 2);
  const auto again = made_learner(1, 2);
  learn(*once, batch, 5);
  learn(*again, batch, 5);
  CHECK(all_weights(*once) == all_weights(*again));
}

TEST_CASE("Learner: more threads than pictures learn as well", "[train][unit]") {
  const auto batch = tests::boxes_in_pictures();
  const auto learner = made_learner(1, 6);
  const auto first = learn(*learner, batch, 1);
  CHECK(learn(*learner, batch, 20).total < first.total);
}

TEST_CASE("Learner: 10 steps, a checkpoint and 10 more are 20 steps, bit for bit", "[train][unit]") {
  const auto threads = GENERATE(std::size_t{1}, std::size_t{2});
  const auto batch = tests::boxes_in_pictures();
  const auto whole = made_learner(1, threads);
  const auto loss = learn(*whole, batch, 20);

  const tests::TemporaryDirectory folder;
  const auto file = folder.path() / "a.checkpoint";
  {
    const auto half = made_learner(1, threads);
    learn(*half, batch, 10);
    REQUIRE(half->save(file, {10, 40, 1.5}).ok());
  }
  const auto resumed = made_learner(99, threads);
  const auto position = resumed->load(file);
  INFO((position ? std::string() : position.error().message));
  REQUIRE(position.ok());
  CHECK(position->step == 10);
  CHECK(position->images == 40);
  CHECK(position->seconds == 1.5);
  CHECK(learn(*resumed, batch, 10).total == loss.total);
  CHECK(all_weights(*resumed) == all_weights(*whole));
  CHECK(folder.names() == std::vector<std::string>{"a.checkpoint"});
}

TEST_CASE("Learner: a file that is no checkpoint, or another network's, is refused", "[train][unit]") {
  const tests::TemporaryDirectory folder;
  const auto learner = made_learner();
  CHECK_FALSE(learner->load(folder.path() / "absent").ok());
  const auto loaded = learner->load(folder.write("a.checkpoint", "not one"));
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().code == common::ErrorCode::kBadModel);

  auto wider = tests::kTrainableCfg;
  wider.replace(wider.find("filters=32"), 10, "filters=24");
  const auto other = train::Learner::create(tests::trainable_network(wider), {});
  REQUIRE(other.ok());
  const auto file = folder.path() / "b.checkpoint";
  REQUIRE(learner->save(file, {}).ok());
  CHECK_FALSE((*other)->load(file).ok());
}

TEST_CASE("Learner: the server's engine makes of the written weights what the trainer does", "[train][unit]") {
  const auto learner = made_learner();
  const auto batch = tests::boxes_in_pictures();
  learn(*learner, batch, 12);
  const auto expected = learner->raw_head(batch);
  REQUIRE(expected.ok());

  const tests::TemporaryDirectory folder;
  const auto cfg = folder.write("small.cfg", tests::kTrainableCfg);
  const auto weights = folder.path() / "small.weights";
  REQUIRE(model::darknet::write_weights(weights, tests::trainable_network(), learner->weights(48)).ok());
  common::ModelConfig config;
  config.name = "small";
  config.source = common::DarknetSource{cfg, weights, {}};
  config.precision = common::Precision::kFp32;
  const auto loaded = model::load_network(config, {});
  INFO((loaded ? std::string() : loaded.error().message));
  REQUIRE(loaded.ok());
  const auto room = loaded->network->input(batch.images());
  REQUIRE(room.ok());
  std::copy(batch.pixels.begin(), batch.pixels.end(), room->begin());
  const auto head = loaded->network->forward();
  REQUIRE(head.ok());

  REQUIRE(head->values.size() == expected->size());
  double worst = 0;
  for (std::size_t i = 0; i < expected->size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(head->values[i]) - static_cast<double>((*expected)[i])));
  CHECK(worst < 1e-4);
  CHECK(expected->size() == batch.images() * (2 * 8 * 8 + 2 * 4 * 4) * 8);
}
