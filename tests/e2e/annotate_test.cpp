// POST /predict?annotate=1 returns the picture with the detections drawn on it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdlib>
#include <span>
#include <string>

#include "model/image/codec/decode.hpp"
#include "tests/support/server.hpp"
#include "tests/support/server_config.hpp"
#include "tests/support/test_data.hpp"

namespace yolod::tests {
namespace {

model::image::Picture decoded(const std::string& bytes) {
  auto picture = model::image::decode(std::as_bytes(std::span(bytes)), {});
  REQUIRE(picture);
  return *std::move(picture);
}

// Counts the pixels that differ by much more than another compression could change them.
std::size_t pixels_drawn(const model::image::Picture& a, const model::image::Picture& b) {
  constexpr int kMuchMore = 60;
  std::size_t count = 0;
  for (std::size_t y = 0; y < static_cast<std::size_t>(a.view().height); ++y) {
    const auto* const left = a.view().bgr + y * a.view().stride_bytes;
    const auto* const right = b.view().bgr + y * b.view().stride_bytes;
    for (std::size_t x = 0; x < static_cast<std::size_t>(a.view().width); ++x) {
      int difference = 0;
      for (std::size_t c = 3 * x; c < 3 * x + 3; ++c) difference = std::max(difference, std::abs(left[c] - right[c]));
      count += difference > kMuchMore ? 1 : 0;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("Annotate: the answer is the picture as JPEG with its boxes, and without annotate still JSON",
          "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  Server server(small_network_config(*test_data()) + "    detect: {annotate: true}\n");
  REQUIRE(server.wait_until_ready());
  const auto photo = read_file(*test_data() / "photos" / "person.jpg");
  HttpClient client(server.endpoint());
  const auto list = client.post("/predict?annotate=0", photo);
  REQUIRE(list.status == 200);
  REQUIRE_FALSE(list.json().at("predictions").as_array().empty());

  const auto answer = client.post("/predict?annotate=1", photo);
  REQUIRE(answer.status == 200);
  CHECK(answer.header("Content-Type") == "image/jpeg");
  const auto before = decoded(photo);
  const auto after = decoded(answer.body);
  CHECK(after.size().width == before.size().width);
  CHECK(after.size().height == before.size().height);
  CHECK(pixels_drawn(before, after) > 100);
  // With this confidence there is nothing to draw.
  const auto nothing = client.post("/predict?annotate=1&confidence=1", photo);
  REQUIRE(nothing.status == 200);
  CHECK(pixels_drawn(before, decoded(nothing.body)) == 0);

  // The Accept header asks for it too, and for the format. PNG keeps the pixels that were not drawn on.
  const auto png = client.post("/predict", photo, {{"Accept", "image/png"}});
  REQUIRE(png.status == 200);
  CHECK(png.header("Content-Type") == "image/png");
  CHECK(pixels_drawn(before, decoded(png.body)) > 100);
  CHECK(client.post("/predict", photo, {{"Accept", "image/jpeg, */*;q=0.1"}}).header("Content-Type") == "image/jpeg");
  CHECK(client.post("/predict?annotate=0", photo, {{"Accept", "image/png"}}).header("Content-Type") ==
        "application/json");
  CHECK(client.post("/predict", photo, {{"Accept", "*/*"}}).header("Content-Type") == "application/json");

  CHECK(client.post("/predict?annotate=2", photo).error_code() == "invalid_parameter");
  CHECK(client.post("/predict?annotate=1", "no picture").error_code() == "invalid_image");
}

TEST_CASE("Annotate: a model whose config does not allow it refuses with the reason", "[e2e][torch]") {
  if (const auto reason = reason_to_skip_real_models(); !reason.empty()) {
    WARN("SKIPPED: " << reason);
    return;
  }
  Server server(small_network_config(*test_data()));
  REQUIRE(server.wait_until_ready());
  const auto answer = HttpClient(server.endpoint()).post("/predict?annotate=1", "x");
  CHECK(answer.error_code() == "invalid_parameter");
  CHECK(answer.body.find("detect.annotate: true") != std::string::npos);
}

}  // namespace yolod::tests
