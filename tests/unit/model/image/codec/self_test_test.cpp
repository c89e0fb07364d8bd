#include "model/image/codec/self_test.hpp"

#include <catch2/catch.hpp>
#include <ctime>

TEST_CASE("SelfTest: the decoders of this build work, and the test is fast", "[model][unit]") {
  const auto done = yolod::model::image::self_test();
  if (!done) FAIL(done.error().message);
  const auto began = std::clock();
  CHECK(yolod::model::image::self_test().ok());
  CHECK(std::clock() - began < CLOCKS_PER_SEC / 5);
}
