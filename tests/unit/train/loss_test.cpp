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

TEST_CASE("Loss: without the CIoU in it, the target objectness of a less exact box is 1", "[train][unit]") {
  auto head = small_head();
  head.objective.ciou_in_objectness = 0;
  auto logits = no_objects();
  auto place = logits[0][0][1][0];
  place[2] = std::log(2.0F);
  place[4] = 20;
  const std::vector<std::vector<Target>> in_pictures{{object()}};
  const auto found = loss_of({logits}, {head}, in_pictures, 1, {}).values;
  CHECK(found.box > 0.5);
  CHECK(found.object == Approx(0).margin(1e-4));
}

TEST_CASE("Loss: the head's ignore_iou decides which boxes are trained as background", "[train][unit]") {
  // The object is in the cell at the upper right. The box of the cell at the upper left has its centre 8 pixels to the
  // left of the object's centre. Both boxes are squares.
  const auto object_loss = [](float ignore_iou, float object_size, float box_size) {
    auto head = small_head();
    head.objective = {1.0F, ignore_iou, 0};
    auto target = object();
    target.width = object_size;
    target.height = object_size;
    auto logits = no_objects();
    auto detection = logits[0][0][1][0];
    detection[4] = 20;
    auto other = logits[0][0][0][0];
    other[2] = std::log(box_size / 4);
    other[3] = std::log(box_size / 4);
    other[4] = 20;
    const std::vector<std::vector<Target>> in_pictures{{target}};
    return loss_of({logits}, {head}, in_pictures, 1, {}).values.object;
  };
  const auto is_ignored = [&](float ignore_iou, float object_size, float box_size) {
    const double found = object_loss(ignore_iou, object_size, box_size);
    INFO(found);
    const bool ignored = found == Approx(0).margin(1e-3);
    CHECK((ignored || found == Approx(20).margin(1e-3)));
    return ignored;
  };
  // Two squares of 40 whose centres are 8 apart have 1,280 of 1,920 pixels in common. The IoU is 0.667.
  CHECK(is_ignored(0.66F, 40, 40));
  CHECK_FALSE(is_ignored(0.67F, 40, 40));
  // A square of 32 has the square of 16 in it, up to its edge. The IoU is a quarter.
  CHECK(is_ignored(0.24F, 16, 32));
  CHECK_FALSE(is_ignored(0.26F, 16, 32));
  // A square of 20 has the square of 4 in it, up to its edge. The IoU is 0.04.
  CHECK(is_ignored(0.039F, 4, 20));
  CHECK_FALSE(is_ignored(0.041F, 4, 20));
  CHECK(is_ignored(0, 4, 20));
  CHECK_FALSE(is_ignored(0, 4, 8));
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
