// LibTorch must come before Catch. CMakeLists.txt gives the reason.
#include <ATen/ATen.h>

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <span>
#include <vector>

#include "tools/train/decode.hpp"

using namespace yolod::train;

namespace {

// The head has 2 rows of 3 cells of 8 x 16 pixels, and two anchors. The centres of a cell reach half a cell beyond
// it.
HeadGrid wide_head() { return {2, 3, 8, 16, 2, {{4, 6}, {10, 20}}, 2}; }

}  // namespace

TEST_CASE("Decode: logits of 0 are the anchor in the middle of its cell", "[train][unit]") {
  const auto boxes = decode_boxes(at::zeros({1, 2, 3, 2, 7}), wide_head());
  REQUIRE(boxes.sizes() == std::vector<std::int64_t>{1, 2, 3, 2, 4});
  const auto box = boxes[0][1][2][1];
  CHECK(box[0].item<float>() == Approx(20));
  CHECK(box[1].item<float>() == Approx(24));
  CHECK(box[2].item<float>() == Approx(10));
  CHECK(box[3].item<float>() == Approx(20));
}

TEST_CASE("Decode: a centre reaches the ends of its range, and a side grows exponentially", "[train][unit]") {
  auto logits = at::zeros({1, 2, 3, 2, 7});
  auto answer = logits[0][0][1][0];
  answer[0] = 40;             // the right end: half a cell beyond it
  answer[1] = -40;            // the upper one
  answer[2] = std::log(2.0);  // twice as wide
  const auto box = decode_boxes(logits, wide_head())[0][0][1][0];
  CHECK(box[0].item<float>() == Approx(20));
  CHECK(box[1].item<float>() == Approx(-8));
  CHECK(box[2].item<float>() == Approx(8));
  CHECK(box[3].item<float>() == Approx(6));
}

TEST_CASE("Decode: tensors and single answers give the same boxes", "[train][unit]") {
  at::manual_seed(4);
  const auto head = wide_head();
  const auto logits = at::randn({1, head.rows, head.columns, 2, 7});
  const auto boxes = decode_boxes(logits, head);
  for (int row = 0; row < head.rows; ++row) {
    for (int column = 0; column < head.columns; ++column) {
      for (std::size_t a = 0; a < head.anchors.size(); ++a) {
        const auto index = static_cast<std::ptrdiff_t>(head.index(row, column, a));
        const auto single = head.box_of({logits.data_ptr<float>() + 7 * index, 4}, row, column, a);
        const auto* box = boxes.data_ptr<float>() + 4 * index;
        CHECK(single.x == Approx(box[0]).margin(1e-4));
        CHECK(single.y == Approx(box[1]).margin(1e-4));
        CHECK(single.width == Approx(box[2]));
        CHECK(single.height == Approx(box[3]));
      }
    }
  }
}

TEST_CASE("Decode: all heads form one list, anchor by anchor, with scores as logistics", "[train][unit]") {
  auto logits = at::zeros({1, 2, 3, 2, 7});
  logits[0][1][0][1][4] = 40;
  const HeadGrid small{1, 1, 24, 32, 1, {{7, 9}}, 2};
  const auto list = decode({logits, at::zeros({1, 1, 1, 1, 7})}, {wide_head(), small});
  REQUIRE(list.sizes() == std::vector<std::int64_t>{1, 2 * 2 * 3 + 1, 7});
  // The second anchor's cells come after the first anchor's six cells. The cells of an anchor are ordered row by
  // row.
  CHECK(list[0][6 + 3][4].item<float>() == Approx(1));
  CHECK(list[0][6 + 2][4].item<float>() == Approx(0.5));
  CHECK(list[0][12][2].item<float>() == Approx(7));
}
