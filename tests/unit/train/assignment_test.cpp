#include "tools/train/assignment.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <vector>

using namespace yolod::train;

namespace {

// One head has 8 x 8 cells of 8 pixels and small anchors. The other has 4 x 4 cells of 16 pixels and large anchors.
std::vector<HeadGrid> two_heads(float scale_x_y) {
  return {{8, 8, 8, 8, scale_x_y, {{4, 8}, {8, 16}}}, {4, 4, 16, 16, scale_x_y, {{60, 60}}}};
}

Target object_at(float x, float y, float width, float height) {
  Target target;
  target.x = x;
  target.y = y;
  target.width = width;
  target.height = height;
  return target;
}

// Returns the heads of two_heads() with Darknet's rule of assignment.
std::vector<HeadGrid> heads_by_shape(float scale_x_y, float first_iou, float second_iou) {
  auto heads = two_heads(scale_x_y);
  heads[0].objective.shape_iou = first_iou;
  heads[1].objective.shape_iou = second_iou;
  return heads;
}

std::set<std::size_t> places(const std::vector<Match>& matches) {
  std::set<std::size_t> found;
  for (const auto& match : matches) found.insert(match.index);
  return found;
}

}  // namespace

TEST_CASE("Assignment: the cell of the centre gets the object, with every anchor of a similar shape", "[train][unit]") {
  const auto heads = two_heads(1);
  const std::vector<Target> targets{object_at(20, 44, 6, 12)};
  const auto matches = assign(targets, heads);
  REQUIRE(matches.size() == 2);
  CHECK(places(matches[0]) == std::set{heads[0].index(5, 2, 0), heads[0].index(5, 2, 1)});
  CHECK(matches[1].empty());
}

TEST_CASE("Assignment: with scale_x_y neighbours that reach the centre get the object too", "[train][unit]") {
  const auto heads = two_heads(2);
  // The centre is at 0.125 of its cell from the left and at 0.875 from the top.
  const std::vector<Target> targets{object_at(17, 47, 8, 16)};
  CHECK(places(assign(targets, heads)[0]) == std::set{heads[0].index(5, 2, 0), heads[0].index(5, 2, 1),
                                                      heads[0].index(5, 1, 0), heads[0].index(5, 1, 1),
                                                      heads[0].index(6, 2, 0), heads[0].index(6, 2, 1)});
  // No neighbour reaches a centre in the middle of its cell, and at the map's edge there is no neighbour.
  const std::vector<Target> in_the_middle{object_at(20, 44, 8, 16)};
  CHECK(assign(in_the_middle, heads)[0].size() == 2);
  const std::vector<Target> at_the_edge{object_at(0.5F, 63.5F, 8, 16)};
  CHECK(places(assign(at_the_edge, heads)[0]) == std::set{heads[0].index(7, 0, 0), heads[0].index(7, 0, 1)});
}

TEST_CASE("Assignment: an object that no anchor fits gets the nearest anchor", "[train][unit]") {
  const auto heads = two_heads(1);
  const std::vector<Target> targets{object_at(8, 8, 1, 60)};
  const auto matches = assign(targets, heads);
  CHECK(matches[0].size() + matches[1].size() == 1);
}

TEST_CASE("Assignment: if two objects compete for a place, the better shape gets it", "[train][unit]") {
  const auto heads = two_heads(1);
  const std::vector<Target> targets{object_at(20, 44, 5, 9), object_at(21, 45, 8, 16)};
  const auto matches = assign(targets, heads)[0];
  REQUIRE(matches.size() == 2);
  const auto of = [&](std::size_t anchor) {
    const auto found = std::find_if(matches.begin(), matches.end(),
                                    [&](const Match& match) { return match.index == heads[0].index(5, 2, anchor); });
    REQUIRE(found != matches.end());
    return found->target;
  };
  CHECK(of(0) == 0);
  CHECK(of(1) == 1);
}

TEST_CASE("Assignment: no place gets an ignored object", "[train][unit]") {
  const auto heads = two_heads(2);
  std::vector<Target> targets{object_at(20, 44, 8, 16)};
  targets[0].ignored = true;
  const auto matches = assign(targets, heads);
  CHECK(matches[0].empty());
  CHECK(matches[1].empty());
}

TEST_CASE("Assignment: with a shape_iou of 1 only the nearest anchor gets the object", "[train][unit]") {
  const auto heads = heads_by_shape(1, 1, 1);
  const std::vector<Target> exact{object_at(20, 44, 8, 16)};
  CHECK(places(assign(exact, heads)[0]) == std::set{heads[0].index(5, 2, 1)});
  const std::vector<Target> unlike_all{object_at(8, 8, 1, 60)};
  const auto matches = assign(unlike_all, heads);
  CHECK(matches[0].size() + matches[1].size() == 1);
}

TEST_CASE("Assignment: every anchor above its head's shape_iou gets the object", "[train][unit]") {
  // The IoUs of the object with the three anchors are 32 / 128, 1 and 128 / 3600.
  const std::vector<Target> targets{object_at(20, 44, 8, 16)};
  const auto counts = [&](float first_iou, float second_iou) {
    const auto matches = assign(targets, heads_by_shape(1, first_iou, second_iou));
    return std::vector<std::size_t>{matches[0].size(), matches[1].size()};
  };
  CHECK(counts(0.24F, 1) == std::vector<std::size_t>{2, 0});
  CHECK(counts(0.25F, 1) == std::vector<std::size_t>{1, 0});  // the IoU must be above it
  CHECK(counts(1, 0.03F) == std::vector<std::size_t>{1, 1});
  CHECK(counts(0, 0) == std::vector<std::size_t>{2, 1});
}

TEST_CASE("Assignment: with a shape_iou no neighbouring cell gets the object", "[train][unit]") {
  const auto heads = heads_by_shape(2, 0.2F, 0.2F);
  const std::vector<Target> targets{object_at(17, 47, 8, 16)};
  CHECK(places(assign(targets, heads)[0]) == std::set{heads[0].index(5, 2, 0), heads[0].index(5, 2, 1)});
}

TEST_CASE("Assignment: if two heads have the nearest anchor, both get the object", "[train][unit]") {
  auto heads = heads_by_shape(1, 1, 1);
  heads[1].anchors = {{8, 16}, {60, 60}};
  const std::vector<Target> targets{object_at(20, 44, 9, 15)};
  const auto matches = assign(targets, heads);
  CHECK(places(matches[0]) == std::set{heads[0].index(5, 2, 1)});
  CHECK(places(matches[1]) == std::set{heads[1].index(2, 1, 0)});
}
