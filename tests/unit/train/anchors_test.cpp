#include "tools/train/anchors.hpp"

#include <catch2/catch.hpp>
#include <vector>

using yolod::train::Anchor;
using yolod::train::cluster_anchors;
using yolod::train::shape_iou;

TEST_CASE("Anchors: the IoU of shapes is that of boxes with one centre", "[train][unit]") {
  CHECK(shape_iou({4, 8}, {4, 8}) == Approx(1));
  CHECK(shape_iou({4, 8}, {8, 4}) == Approx(16.0 / 48));
  CHECK(shape_iou({1, 1}, {10, 10}) == Approx(0.01));
}

TEST_CASE("Anchors: made clusters are found, smallest first", "[train][unit]") {
  std::vector<Anchor> sizes;
  for (int i = -2; i <= 2; ++i) {
    const auto off = static_cast<float>(i);
    sizes.push_back({40 + off, 100 - off});
    sizes.push_back({5 + off / 10, 12});
    sizes.push_back({60, 20 + off});
  }
  const auto clusters = cluster_anchors(sizes, 3);
  REQUIRE(clusters.anchors.size() == 3);
  CHECK(clusters.anchors[0].width == Approx(5));
  CHECK(clusters.anchors[0].height == Approx(12));
  CHECK(clusters.anchors[1].width == Approx(60));
  CHECK(clusters.anchors[1].height == Approx(20));
  CHECK(clusters.anchors[2].width == Approx(40));
  CHECK(clusters.anchors[2].height == Approx(100));
  CHECK(clusters.mean_iou > 0.9);
}

TEST_CASE("Anchors: sizes that are all alike give anchors that are", "[train][unit]") {
  const std::vector<Anchor> sizes(7, Anchor{3, 9});
  const auto clusters = cluster_anchors(sizes, 4);
  REQUIRE(clusters.anchors.size() == 4);
  for (const auto& anchor : clusters.anchors) {
    CHECK(anchor.width == Approx(3));
    CHECK(anchor.height == Approx(9));
  }
  CHECK(clusters.mean_iou == Approx(1));
}
