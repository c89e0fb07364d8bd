#include "app/api/content_coding.hpp"

#include <catch2/catch.hpp>

namespace yolod::app::api {
namespace {

TEST_CASE("ContentCoding: gzip, deflate and identity are known, in any case", "[app][unit]") {
  CHECK(coding_of("") == ContentCoding::kIdentity);
  CHECK(coding_of("identity") == ContentCoding::kIdentity);
  CHECK(coding_of("GZIP") == ContentCoding::kGzip);
  CHECK(coding_of("deflate") == ContentCoding::kDeflate);
  for (const char* unknown : {"br", "gzip, gzip", "x-gzip", "zlib"}) CHECK_FALSE(coding_of(unknown).has_value());
}

TEST_CASE("ContentCoding: the highest weight decides, and gzip comes first among equals", "[app][unit]") {
  CHECK(preferred_coding("") == ContentCoding::kIdentity);
  CHECK(preferred_coding("br, zstd") == ContentCoding::kIdentity);
  CHECK(preferred_coding("*") == ContentCoding::kIdentity);
  CHECK(preferred_coding("gzip") == ContentCoding::kGzip);
  CHECK(preferred_coding("deflate") == ContentCoding::kDeflate);
  CHECK(preferred_coding("deflate, gzip, br") == ContentCoding::kGzip);
  CHECK(preferred_coding("gzip;q=0.5, deflate;q=0.8") == ContentCoding::kDeflate);
  CHECK(preferred_coding("gzip;q=0.5, identity") == ContentCoding::kIdentity);
  CHECK(preferred_coding("gzip;q=0, deflate;q=0") == ContentCoding::kIdentity);
  CHECK(preferred_coding("identity;q=0.1, Deflate;q=0.1") == ContentCoding::kDeflate);
}

}  // namespace
}  // namespace yolod::app::api
