#include "tools/train/class_count.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/train/made_pictures.hpp"
#include "tools/train/trainable_cfg.hpp"

using namespace yolod;
using Catch::Matchers::Contains;

TEST_CASE("ClassCount: each head and the convolution before it change, and nothing else", "[train][unit]") {
  const auto changed = train::with_class_count(tests::kTrainableCfg, "small.cfg", 7);
  REQUIRE(changed.ok());
  const auto cfg = train::parse_trainable_cfg(*changed, "small.cfg");
  REQUIRE(cfg.ok());
  CHECK(cfg->network.classes == 7);
  const auto back = train::with_class_count(*changed, "small.cfg", 3);
  REQUIRE(back.ok());
  CHECK(*back == tests::kTrainableCfg);
}

TEST_CASE("ClassCount: comments and the order of lines do not change, and a missing key is added", "[train][unit]") {
  const std::string text =
      "# mine\n[net]\nwidth=16 # wide\nheight=16\n[convolutional]\n# filters below\nfilters=1\n[Gaussian_yolo]\n"
      "mask=0,1\nnum=6\nanchors=1,1,2,2,3,3,4,4,5,5,6,6\n";
  const auto changed = train::with_class_count(text, "a.cfg", 2);
  REQUIRE(changed.ok());
  CHECK(*changed ==
        "# mine\n[net]\nwidth=16 # wide\nheight=16\n[convolutional]\n# filters below\nfilters=22\n[Gaussian_yolo]\n"
        "classes=2\nmask=0,1\nnum=6\nanchors=1,1,2,2,3,3,4,4,5,5,6,6\n");
}

TEST_CASE("ClassCount: a head without a convolution before it is an error that names the line", "[train][unit]") {
  const auto changed = train::with_class_count("[net]\nwidth=8\nheight=8\n[maxpool]\n[region]\nnum=5\n", "a.cfg", 2);
  REQUIRE_FALSE(changed.ok());
  CHECK_THAT(changed.error().message, Contains("a.cfg:5: [region]: a convolution must come before it"));
  CHECK_FALSE(train::with_class_count("[net", "a.cfg", 2).ok());
}
