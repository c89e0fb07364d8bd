// LibTorch must come before Catch. CMakeLists.txt gives the reason.
#include <ATen/ATen.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "tools/train/loss.hpp"

using namespace yolod::train;

namespace {

constexpr int kClasses = 2;

// The head has 2 x 2 cells of 8 pixels and one anchor.
HeadGrid small_head() { return {2, 2, 8, 8, 1, {{4, 4}}, kClasses}; }

at::Tensor no_objects() {
  auto logits = at::zeros({1, 2, 2, 1, 5 + kClasses});
  logits.select(4, 4).fill_(-20);
  return logits;
}

Target object() {
  Target target;
  target.class_id = 1;
  target.x = 12;
  target.y = 4;
  target.width = 4;
  target.height = 4;
  return target;
}

Loss loss(const at::Tensor& logits, const std::vector<Target>& targets) {
  const std::vector<std::vector<Target>> in_pictures{targets};
  return loss_of({logits}, {small_head()}, in_pictures, count_matches(in_pictures, {small_head()}), {});
}

}  // namespace

TEST_CASE("Loss: an empty picture without detections costs nothing", "[train][unit]") {
  const auto found = loss(no_objects(), {});
  CHECK(found.values.total == Approx(0).margin(1e-6));
  CHECK(found.values.box == 0);
}

TEST_CASE("Loss: an exact detection costs nothing", "[train][unit]") {
  auto logits = no_objects();
  auto place = logits[0][0][1][0];  // the centre of its cell is the object's
  place[4] = 20;
  place[5] = -20;
  place[6] = 20;
  const auto found = loss(logits, {object()});
  CHECK(found.values.box == Approx(0).margin(1e-4));
  CHECK(found.values.object == Approx(0).margin(1e-4));
  CHECK(found.values.classes == Approx(0).margin(1e-4));
}

TEST_CASE("Loss: a less exact box has a lower target for its objectness", "[train][unit]") {
  auto logits = no_objects();
  auto place = logits[0][0][1][0];
  place[2] = std::log(2.0F);  // twice as wide: an IoU of a half, and less by CIoU
  place[4] = 20;
  place[6] = 20;
  const auto found = loss(logits, {object()});
  CHECK(found.values.box > 0.5);
  CHECK(found.values.object > 20 * 0.24);  // cross entropy of 20 with at most 0.75
}

TEST_CASE("Loss: a box that overlaps the object is not trained as background", "[train][unit]") {
  const HeadGrid far_reaching{2, 2, 8, 8, 3, {{4, 4}}, kClasses};
  const auto object_loss = [&](const at::Tensor& logits) {
    const std::vector<std::vector<Target>> in_pictures{{object()}};
    return loss_of({logits}, {far_reaching}, in_pictures, count_matches(in_pictures, {far_reaching}), {}).values.object;
  };
  auto logits = no_objects();
  const double silent = object_loss(logits);
  // The cell at the lower left is not a neighbour of the object's cell, so the object has no target there.
  auto other = logits[0][1][0][0];
  other[0] = std::log(5.0F);   // x = (5 / 6 * 3 - 1) * 8 = 12
  other[1] = -std::log(5.0F);  // y = (1 / 6 * 3 - 1 + 1) * 8 = 4
  other[4] = 20;
  CHECK(object_loss(logits) == Approx(silent).margin(1e-3));
  other[3] = 3;  // twenty times as high
  CHECK(object_loss(logits) == Approx(silent + 20.0 / 3).margin(1e-3));
}

TEST_CASE("Loss: an ignored object has no loss", "[train][unit]") {
  auto logits = no_objects();
  logits[0][0][1][0][4] = 20;
  auto target = object();
  target.ignored = true;
  CHECK(loss(logits, {target}).values.object == Approx(0).margin(1e-4));
  CHECK(loss(logits, {}).values.object == Approx(20).margin(1e-3));
}

TEST_CASE("Loss: the gradient raises only the objectness of an object's place", "[train][unit]") {
  auto logits = at::zeros({1, 2, 2, 1, 5 + kClasses}).requires_grad_();
  loss(logits, {object()}).total.backward();
  const auto gradients = logits.grad().select(4, 4).flatten();
  CHECK(gradients[1].item<double>() < 0);
  for (const int other : {0, 2, 3}) CHECK(gradients[other].item<double>() > 0);
}

TEST_CASE("Loss: the losses of a batch's parts add up to the batch's loss", "[train][unit]") {
  at::manual_seed(3);
  const auto logits = at::randn({3, 2, 2, 1, 5 + kClasses});
  const std::vector<std::vector<Target>> targets{{object()}, {}, {object(), object()}};
  const std::vector<HeadGrid> heads{small_head()};
  const auto matches = count_matches(targets, heads);
  CHECK(matches == 2);
  const auto whole = loss_of({logits}, heads, targets, matches, {}).values;
  auto sum = loss_of({logits.narrow(0, 0, 2)}, heads, std::span(targets).first(2), matches, {}).values;
  sum += loss_of({logits.narrow(0, 2, 1)}, heads, std::span(targets).last(1), matches, {}).values;
  CHECK(sum.total == Approx(whole.total));
  CHECK(sum.box == Approx(whole.box));
  CHECK(sum.object == Approx(whole.object));
  CHECK(sum.classes == Approx(whole.classes));
}
