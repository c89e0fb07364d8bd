#include "model/image/codec/annotate.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "model/image/codec/decode.hpp"

using namespace yolod::model::image;

TEST_CASE("Annotate: the result is a JPEG of the same size that is no longer black", "[model][unit]") {
  const auto file = "P6 64 48 255\n" + std::string(64 * 48 * 3, '\0');
  const auto picture = decode(std::as_bytes(std::span<const char>(file)), {});
  REQUIRE(picture.ok());
  const std::vector<yolod::common::Detection> detections{{0, 0.9F, {10, 20, 40, 40}}, {7, 0.5F, {0, 0, 64, 48}}};
  const std::vector<std::string> labels{"dog"};
  const auto bytes = annotate(*picture, detections, labels);
  REQUIRE(bytes.ok());
  const auto drawn = decode(*bytes, {});
  REQUIRE(drawn.ok());
  const auto view = drawn->view();
  REQUIRE(view.width == 64);
  REQUIRE(view.height == 48);
  // The original picture was black.
  double sum = 0;
  for (std::size_t i = 0; i < 48 * view.stride_bytes; ++i) sum += view.bgr[i];
  CHECK(sum / (48.0 * static_cast<double>(view.stride_bytes)) > 5);

  // A PNG has the same pixels but for the losses of JPEG. More boxes than kMostDrawn change nothing.
  auto many = detections;
  many.resize(kMostDrawn, detections.front());
  const auto png = annotate(*picture, many, labels, yolod::common::FileType::kPng);
  REQUIRE(png.ok());
  CHECK(static_cast<char>((*png)[1]) == 'P');
  many.push_back({1, 0.1F, {0, 0, 64, 48}});
  CHECK(*annotate(*picture, many, labels, yolod::common::FileType::kPng) == *png);
}
