#include "tools/train/anchors.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "tools/train/made_anchors.hpp"

using yolod::train::Anchor;
using yolod::train::anchors_of_labels;
using yolod::train::cluster_anchors;
using yolod::train::PictureFile;
using yolod::train::shape_iou;

TEST_CASE("Anchors: the IoU of two shapes assumes the same centre", "[train][unit]") {
  CHECK(shape_iou({4, 8}, {4, 8}) == Approx(1));
  CHECK(shape_iou({4, 8}, {8, 4}) == Approx(16.0 / 48));
  CHECK(shape_iou({1, 1}, {10, 10}) == Approx(0.01));
}

TEST_CASE("Anchors: known clusters are found, smallest first", "[train][unit]") {
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

TEST_CASE("Anchors: equal sizes give equal anchors", "[train][unit]") {
  const std::vector<Anchor> sizes(7, Anchor{3, 9});
  const auto clusters = cluster_anchors(sizes, 4);
  REQUIRE(clusters.anchors.size() == 4);
  for (const auto& anchor : clusters.anchors) {
    CHECK(anchor.width == Approx(3));
    CHECK(anchor.height == Approx(9));
  }
  CHECK(clusters.mean_iou == Approx(1));
}

TEST_CASE("Anchors: anchors of labels are in pixels of the input", "[train][unit]") {
  std::vector<PictureFile> pictures(2);
  pictures[0].truths = {{0, {0, 0, 0.5F, 0.25F}}, {1, {0.2F, 0.2F, 0.2F, 0.4F}}};  // the second has no area
  pictures[1].truths = {{0, {0.1F, 0.1F, 0.6F, 0.35F}}};
  const auto anchors = anchors_of_labels({200, 100}, pictures, 1);
  REQUIRE(anchors.ok());
  CHECK(anchors->anchors.front().width == Approx(100));
  CHECK(anchors->anchors.front().height == Approx(25));
  CHECK_FALSE(anchors_of_labels({200, 100}, pictures, 3).ok());
}
