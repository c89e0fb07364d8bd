#include "model/image/ycc_to_bgr.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

using namespace yolod::model::image;

TEST_CASE("YccToBgr: many pixels at once and single pixels give the same values, from one row or three",
          "[model][unit]") {
  constexpr int kWidth = 64 * 16;
  std::mt19937 random(3);
  std::vector<std::uint8_t> ycc(3 * kWidth);
  for (auto& value : ycc) value = static_cast<std::uint8_t>(random());
  std::vector<std::uint8_t> one_by_one(ycc.size());
  std::vector<std::uint8_t> y;
  std::vector<std::uint8_t> cb;
  std::vector<std::uint8_t> cr;
  for (int x = 0; x < kWidth; ++x) {
    const auto* pixel = ycc.data() + 3 * x;
    ycc_row_to_bgr(pixel, one_by_one.data() + 3 * x, 1);
    y.push_back(pixel[0]);
    cb.push_back(pixel[1]);
    cr.push_back(pixel[2]);
  }
  std::vector<std::uint8_t> at_once(ycc.size());
  ycc_row_to_bgr(ycc.data(), at_once.data(), kWidth);
  CHECK((at_once == one_by_one));
  // The loop covers every row length, with steps of 32, 16 and 1 pixels.
  for (int width = 0; width < 70; ++width) {
    std::fill(at_once.begin(), at_once.end(), std::uint8_t{9});
    ycc_row_to_bgr(ycc.data(), at_once.data(), width);
    const auto end = at_once.begin() + 3 * width;
    CHECK(std::equal(at_once.begin(), end, one_by_one.begin()));
    CHECK(std::all_of(end, at_once.end(), [](std::uint8_t value) { return value == 9; }));
  }
  planes_row_to_bgr(y.data(), cb.data(), cr.data(), at_once.data(), kWidth);
  CHECK((at_once == one_by_one));
}

TEST_CASE("YccToBgr: values are rounded as in stb_image and limited to 0..255", "[model][unit]") {
  const auto bgr = [](std::uint8_t y, std::uint8_t cb, std::uint8_t cr) {
    const std::vector<std::uint8_t> pixel{y, cb, cr};
    std::vector<std::uint8_t> out(3);
    ycc_row_to_bgr(pixel.data(), out.data(), 1);
    return std::vector<int>(out.begin(), out.end());
  };
  CHECK(bgr(100, 128, 128) == std::vector<int>{100, 100, 100});
  CHECK(bgr(255, 255, 255) == std::vector<int>{255, 121, 255});
  CHECK(bgr(0, 0, 0) == std::vector<int>{0, 135, 0});
  CHECK(bgr(50, 140, 120) == std::vector<int>{71, 52, 39});
}
