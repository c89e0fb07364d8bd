#include "app/http/content_negotiation.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::app::http {
namespace {

TEST_CASE("Accept: a client that prefers PNG to JPEG gets a PNG", "[app][unit]") {
  const std::string accept =
      GENERATE("image/png", "IMAGE/PNG", "image/png, image/jpeg;q=0.9", "image/jpeg;q=0.5,image/png;q=0.6",
               "image/png,*/*;q=0.8", "text/html, image/png ; level=1 ; Q=1.0 , */*;q=0.1", "image/*, image/jpeg;q=0",
               "image/png;q=0.001", "image/jpeg;q=0.2, */*;q=0.3", ",,image/png,");
  CAPTURE(accept);
  CHECK(prefers_png(accept));
}

TEST_CASE("Accept: every other client gets a JPEG", "[app][unit]") {
  const std::string accept = GENERATE("", "*/*", "image/*", "image/jpeg", "image/jpeg, image/png",
                                      "image/png;q=0.5, image/jpeg", "image/png;q=0", "text/html", "image/pngx", "png",
                                      ";;;", ",", "image/webp", "image/png;q=0.5, */*", "q=1");
  CAPTURE(accept);
  CHECK_FALSE(prefers_png(accept));
}

TEST_CASE("Accept: an unreadable weight counts as 1", "[app][unit]") {
  CHECK(prefers_png("image/png;q=x, image/jpeg;q=0.9"));
  CHECK(prefers_png("image/png;q=2, image/jpeg;q=0.9"));
  CHECK_FALSE(prefers_png("image/png;q=nan, image/jpeg"));
}

TEST_CASE("ContentNegotiation: a client gets a picture if it names one and ranks it above JSON", "[app][unit]") {
  for (const auto* accept : {"image/jpeg", "image/png", "IMAGE/JPEG", "image/*", "image/jpeg, */*;q=0.1",
                             "application/json;q=0.5, image/png", "image/*, application/json;q=0.1",
                             "text/html, image/jpeg", "image/jpeg, application/*;q=0.9"}) {
    CAPTURE(accept);
    CHECK(prefers_picture(accept));
  }
  for (const auto* accept : {"", "*/*", "application/json", "application/json, image/jpeg", "image/jpeg;q=0",
                             "image/webp", "text/html,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
                             "image/jpeg, application/*", "image/jpeg, */*", "image", "image/", "x-image/*"}) {
    CAPTURE(accept);
    CHECK_FALSE(prefers_picture(accept));
  }
}

}  // namespace
}  // namespace yolod::app::http
