#include "model/image/exif.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

using yolod::model::image::exif_orientation;

namespace {

std::vector<std::uint8_t> exif_segment(const std::string& tiff) {
  using namespace std::string_literals;
  const auto text = "Exif\0\0"s + tiff;
  return {text.begin(), text.end()};
}

}  // namespace

TEST_CASE("Exif: the orientation is read in either byte order", "[model][unit]") {
  using namespace std::string_literals;
  CHECK(exif_orientation(exif_segment("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"s)) == 6);
  CHECK(exif_orientation(exif_segment("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0"s)) == 8);
  // The orientation follows another entry.
  CHECK(exif_orientation(exif_segment("II*\0\x08\0\0\0\x02\0\x0F\x01\x02\0\x01\0\0\0\0\0\0\0"
                                      "\x12\x01\x03\0\x01\0\0\0\x03\0\0\0"s)) == 3);
}

TEST_CASE("Exif: an orientation may be a BYTE or a LONG, in either byte order", "[model][unit]") {
  using namespace std::string_literals;
  CHECK(exif_orientation(exif_segment("II*\0\x08\0\0\0\x01\0\x12\x01\x04\0\x01\0\0\0\x06\0\0\0"s)) == 6);
  CHECK(exif_orientation(exif_segment("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x04\0\0\0\x01\0\0\0\x08"s)) == 8);
  CHECK(exif_orientation(exif_segment("II*\0\x08\0\0\0\x01\0\x12\x01\x01\0\x01\0\0\0\x06\0\0\0"s)) == 6);
  CHECK(exif_orientation(exif_segment("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x01\0\0\0\x01\x08\0\0\0"s)) == 8);
}

TEST_CASE("Exif: a segment without a valid orientation means an upright picture", "[model][unit]") {
  using namespace std::string_literals;
  const auto sound = exif_segment("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"s);
  for (std::size_t length = 0; length < sound.size(); ++length) {
    CHECK(exif_orientation(std::span(sound).first(length)) == 1);
  }
  CHECK(exif_orientation(exif_segment("XX*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"s)) == 1);
  CHECK(exif_orientation(exif_segment("II+\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"s)) == 1);
  CHECK(exif_orientation(exif_segment("II*\0\xFF\xFF\xFF\xFF\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"s)) == 1);
  CHECK(exif_orientation(exif_segment("II*\0\x08\0\0\0\xFF\xFF\x13\x01\x03\0\x01\0\0\0\x06\0\0\0"s)) == 1);
  // The first value is an ASCII text. The second is a LONG whose lower half alone would be valid.
  CHECK(exif_orientation(exif_segment("II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x01\0\0\0\x06\0\0\0"s)) == 1);
  CHECK(exif_orientation(exif_segment("II*\0\x08\0\0\0\x01\0\x12\x01\x04\0\x01\0\0\0\x06\0\x01\0"s)) == 1);
  CHECK(exif_orientation(exif_segment("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0"s)) == 1);
}
