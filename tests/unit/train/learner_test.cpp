#include "tools/train/learner.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "model/darknet/write_weights.hpp"
#include "model/load/load_network.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/train/made_pictures.hpp"
#include "tools/train/start_weights.hpp"

using namespace yolod;

namespace {

std::unique_ptr<train::Learner> made_learner(std::uint64_t seed = 1, std::size_t threads = 1,
                                             common::Precision precision = common::Precision::kFp32) {
  train::LearnerSettings settings;
  settings.threads = threads;
  settings.precision = precision;
  auto learner = train::Learner::create(tests::trainable_network(),
                                        train::fresh_weights(tests::trainable_network(), seed), settings);
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

// Trains a network for 12 steps, which must lower the loss. The server's engine must compute the same from the
// written weights as the trainer, within `tolerance`.
void check_engine_agrees(const std::string& text, double tolerance) {
  const auto network = tests::trainable_network(text);
  auto created = train::Learner::create(network, train::fresh_weights(network, 1), {});
  INFO((created ? std::string() : created.error().message));
  REQUIRE(created.ok());
  auto& learner = **created;
  const auto batch = tests::boxes_in_pictures();
  const auto first = learn(learner, batch, 1);
  CHECK(learn(learner, batch, 11).total < first.total);
  const auto expected = learner.raw_head(batch);
  INFO((expected ? std::string() : expected.error().message));
  REQUIRE(expected.ok());

  const tests::TemporaryDirectory folder;
  const auto cfg = folder.write("small.cfg", text);
  const auto weights = folder.path() / "small.weights";
  REQUIRE(model::darknet::write_weights(weights, network, learner.weights(48)).ok());
  common::ModelConfig config;
  config.name = "small";
  config.source = common::DarknetSource{cfg, weights, {}};
  config.precision = common::Precision::kFp32;
  const auto loaded = model::load_network(config, {});
  INFO((loaded ? std::string() : loaded.error().message));
  REQUIRE(loaded.ok());
  const auto given = loaded->network->new_input(batch.images());
  REQUIRE(given.ok());
  const auto room = (*given)->values();
  std::copy(batch.pixels.begin(), batch.pixels.end(), room.begin());
  const auto head = loaded->network->forward(**given, batch.images(), {});
  REQUIRE(head.ok());
  REQUIRE(head->values.size() == expected->size());
  double worst = 0;
  for (std::size_t i = 0; i < expected->size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(head->values[i]) - static_cast<double>((*expected)[i])));
  CHECK(worst < tolerance);
}

common::Outcome<void> any_note(const std::string& /*note*/) { return {}; }

}  // namespace

TEST_CASE("Learner: 40 steps on four pictures lower the loss to a half, in bf16 too", "[train][unit]") {
  const auto precision = GENERATE(common::Precision::kFp32, common::Precision::kBf16);
  const auto learner = made_learner(1, 1, precision);
  const auto batch = tests::boxes_in_pictures();
  const auto first = learn(*learner, batch, 1);
  const auto last = learn(*learner, batch, 39);
  CHECK(last.total < first.total / 2);
  CHECK(last.box < first.box);
  // The target of the objectness is the overlap, which grows. So the objectness's part of the loss need not fall.
  CHECK(last.classes < first.classes);
}

TEST_CASE("Learner: frozen statistics do not change, and the other values learn", "[train][unit]") {
  const auto network = tests::trainable_network();
  train::LearnerSettings settings;
  settings.moves_statistics = false;
  const auto learner = train::Learner::create(network, train::fresh_weights(network, 1), settings);
  REQUIRE(learner.ok());
  const auto batch = tests::boxes_in_pictures();
  const auto first = learn(**learner, batch, 1);
  CHECK(learn(**learner, batch, 20).total < first.total);
  const auto layer = (*learner)->weights(0).layers[0];
  CHECK(layer.normalization->means == std::vector<float>(8, 0));
  CHECK(layer.normalization->variances == std::vector<float>(8, 1));
  CHECK(layer.normalization->scales != std::vector<float>(8, 1));
}

TEST_CASE("Learner: each head learns by its own objective", "[train][unit]") {
  const auto network = tests::trainable_network();
  const auto first_loss = [&](std::vector<train::Objective> objectives) {
    train::LearnerSettings settings;
    settings.objectives = std::move(objectives);
    const auto learner = train::Learner::create(network, train::fresh_weights(network, 1), settings);
    REQUIRE(learner.ok());
    return learn(**learner, tests::boxes_in_pictures(), 1);
  };
  const train::Objective of_darknet{1, 0.5F, 0};
  const auto by_default = first_loss({});
  CHECK(first_loss({{}, {}}).total == by_default.total);
  const auto one = first_loss({of_darknet, {}});
  const auto both = first_loss({of_darknet, of_darknet});
  CHECK(one.object != by_default.object);
  CHECK(both.object != one.object);
}

TEST_CASE("Learner: training works with more threads than pictures", "[train][unit]") {
  const auto batch = tests::boxes_in_pictures();
  const auto learner = made_learner(1, 6);
  const auto first = learn(*learner, batch, 1);
  CHECK(learn(*learner, batch, 20).total < first.total);
}

TEST_CASE("Learner: a resumed learner has the weights of its checkpoint and continues to learn", "[train][unit]") {
  const auto threads = GENERATE(std::size_t{1}, std::size_t{2});
  const auto batch = tests::boxes_in_pictures();
  const tests::TemporaryDirectory folder;
  const auto file = folder.path() / "a.checkpoint";
  const auto before = made_learner(1, threads);
  const auto loss = learn(*before, batch, 10);
  REQUIRE(before->save(file, {10, 40, 1.5}, "a note").ok());
  const auto resumed = made_learner(99, threads);
  std::string note;
  const auto position = resumed->load(file, [&](const std::string& stored) {
    note = stored;
    return common::Outcome<void>();
  });
  INFO((position ? std::string() : position.error().message));
  REQUIRE(position.ok());
  CHECK(position->step == 10);
  CHECK(position->images == 40);
  CHECK(position->seconds == 1.5);
  CHECK(note == "a note");
  CHECK(all_weights(*resumed) == all_weights(*before));
  CHECK(learn(*resumed, batch, 10).total < loss.total);
  CHECK(folder.names() == std::vector<std::string>{"a.checkpoint"});
}

TEST_CASE("Learner: a file that is not a checkpoint, or belongs to another network, is refused", "[train][unit]") {
  const tests::TemporaryDirectory folder;
  const auto learner = made_learner();
  CHECK_FALSE(learner->load(folder.path() / "absent", any_note).ok());
  const auto loaded = learner->load(folder.write("a.checkpoint", "not one"), any_note);
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().code == common::ErrorCode::kBadModel);

  auto wider = tests::kTrainableCfg;
  wider.replace(wider.find("filters=32"), 10, "filters=24");
  const auto other = train::Learner::create(tests::trainable_network(wider),
                                            train::fresh_weights(tests::trainable_network(wider), 1), {});
  REQUIRE(other.ok());
  const auto file = folder.path() / "b.checkpoint";
  REQUIRE(learner->save(file, {}, {}).ok());
  const auto of_other = (*other)->load(file, any_note);
  REQUIRE_FALSE(of_other.ok());
  CHECK(of_other.error().code == common::ErrorCode::kBadModel);
}

TEST_CASE("Learner: a checkpoint that was cut short is refused", "[train][unit]") {
  const tests::TemporaryDirectory folder;
  const auto file = folder.path() / "a.checkpoint";
  const auto learner = made_learner();
  REQUIRE(learner->save(file, {}, {}).ok());
  const auto size = std::filesystem::file_size(file);
  const auto before = all_weights(*learner);
  for (const auto left : {size - 1, size / 2, size / 10, std::uintmax_t{0}}) {
    std::filesystem::resize_file(file, left);
    const auto loaded = learner->load(file, any_note);
    REQUIRE_FALSE(loaded.ok());
    CHECK(loaded.error().code == common::ErrorCode::kBadModel);
    CHECK(all_weights(*learner) == before);
  }
}

TEST_CASE("Learner: a checkpoint whose note does not fit changes nothing", "[train][unit]") {
  const tests::TemporaryDirectory folder;
  const auto file = folder.path() / "a.checkpoint";
  REQUIRE(made_learner(1)->save(file, {}, "theirs").ok());
  const auto learner = made_learner(2);
  const auto before = all_weights(*learner);
  const auto loaded = learner->load(file, [](const std::string& note) -> common::Outcome<void> {
    return common::Error{common::ErrorCode::kBadConfig, "not " + note};
  });
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().code == common::ErrorCode::kBadConfig);
  CHECK(loaded.error().message == "not theirs");
  CHECK(all_weights(*learner) == before);
}

TEST_CASE("Learner: a failed save leaves no file", "[train][unit]") {
  const tests::TemporaryDirectory folder;
  const auto learner = made_learner();
  const auto saved = learner->save(folder.path() / "absent" / "a.checkpoint", {}, {});
  REQUIRE_FALSE(saved.ok());
  CHECK(saved.error().code == common::ErrorCode::kSystem);
  CHECK(folder.names().empty());
}

TEST_CASE("Learner: a step without a finite loss is an error and changes no weight", "[train][unit]") {
  const auto batch = tests::boxes_in_pictures();
  auto bad = batch;
  bad.pixels[1'000] = std::numeric_limits<float>::quiet_NaN();
  const auto disturbed = made_learner(1, 2);
  learn(*disturbed, batch, 2);
  const auto before = all_weights(*disturbed);
  const auto loss = disturbed->step(bad, 5e-3, 0.8);
  REQUIRE_FALSE(loss.ok());
  CHECK_THAT(loss.error().message, Catch::Contains("not finite") && Catch::Contains("--rate"));
  CHECK(all_weights(*disturbed) == before);
  learn(*disturbed, batch, 2);
  CHECK(all_weights(*disturbed) != before);
}

TEST_CASE("Learner: the server's engine and the trainer compute the same from the written weights", "[train][unit]") {
  check_engine_agrees(tests::kTrainableCfg, 1e-4);
}

TEST_CASE("Learner: rare layers and activations learn, and the server's engine agrees on them", "[train][unit]") {
  check_engine_agrees(tests::kRareLayersCfg, 1e-3);
}

TEST_CASE("Learner: heads of new_coords, [Gaussian_yolo] and [region] learn, and the server's engine agrees",
          "[train][unit]") {
  const std::string backbone =
      "[net]\nwidth=64\nheight=64\nchannels=3\n[convolutional]\nbatch_normalize=1\nfilters=16\nsize=3\nstride=4\npad="
      "1\n"
      "activation=leaky\n[convolutional]\nbatch_normalize=1\nfilters=16\nsize=3\nstride=2\npad=1\nactivation=leaky\n";
  const auto head = GENERATE(
      "[convolutional]\nfilters=16\nsize=1\nactivation=logistic\n[yolo]\nmask=0,1\nnum=2\nclasses=3\n"
      "anchors=8,10, 16,20\nscale_x_y=2\nnew_coords=1\n",
      "[convolutional]\nfilters=24\nsize=1\nactivation=linear\n[Gaussian_yolo]\nmask=0,1\nnum=2\nclasses=3\n"
      "anchors=8,10, 16,20\n",
      "[convolutional]\nfilters=16\nsize=1\nactivation=linear\n[region]\nnum=2\nclasses=3\nsoftmax=1\n"
      "anchors=1,1.2, 2,2.5\n");
  check_engine_agrees(backbone + head, 1e-3);
}
