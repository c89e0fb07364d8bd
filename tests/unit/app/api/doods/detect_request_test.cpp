#include "app/api/doods/detect_request.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace yolod::app::api::doods::detect_request_test {
namespace {

using common::Box;
using common::ErrorCode;

DetectRequest parsed(const std::string& skeleton) {
  DetectRequest request;
  CAPTURE(skeleton);
  REQUIRE(parse_detect_request(skeleton, 1, request).ok());
  return request;
}

std::string refusal(const std::string& skeleton) {
  DetectRequest request;
  const auto parsed = parse_detect_request(skeleton, 1, request);
  CAPTURE(skeleton);
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.error().code == ErrorCode::kBadRequest);
  return parsed.error().message;
}

TEST_CASE("DOODS: a request has its parts, and most of them may be absent or null", "[app][unit]") {
  const auto all = parsed(
      R"({"id":"7","detector_name":"cam","data":0,"preprocess":[],"image":"","throttle":1.5,"detect":{"*":50,"car":62.5},)"
      R"("regions":[{"id":"r","top":0,"left":0.25,"bottom":1,"right":0.5,"detect":{"cat":40},"covers":true}]})");
  CHECK(all.id == "7");
  CHECK(all.detector == "cam");
  CHECK(all.detect == Thresholds{{{"car", 0.625F}}, 0.5F});
  REQUIRE(all.regions.size() == 1);
  CHECK(all.regions[0].box == Box{0.25F, 0, 0.5F, 1});
  CHECK(all.regions[0].covers);
  CHECK(all.least_confidence() == 0.4F);
  for (const char* text :
       {R"({"data":0})", R"({"data":0,"id":null,"detector_name":null,"detect":null,"regions":null})"}) {
    const auto least = parsed(text);
    CHECK(least.id.empty());
    CHECK(least.detector.empty());
    CHECK(least.least_confidence() == 1);
    CHECK_FALSE(least.wants("car", 1, {0, 0, 1, 1}));
  }
  CHECK(parsed(R"({"data":0,"id":12})").id == "12");
}

TEST_CASE("DOODS: a request that is wrong, or wants something that the server does not do, is refused", "[app][unit]") {
  CHECK(refusal("[]") == "could not parse request body");
  CHECK(refusal("{") == "could not parse request body");
  CHECK(refusal(R"({"detect":{}})").starts_with("'data' is missing"));
  CHECK(refusal(R"({"data":1})").starts_with("'data' must be a text"));
  CHECK(refusal(R"({"data":-1})").starts_with("'data' must be a text"));
  CHECK(refusal(R"({"data":"with escapes in its name"})").starts_with("'data' must be a text"));
  CHECK(refusal(R"({"data":0,"detect":[]})").starts_with("'detect' must be an object"));
  CHECK(refusal(R"({"data":0,"detect":{"car":"60"}})") == "a percent in 'detect' must be a number");
  CHECK(refusal(R"({"data":0,"detect":{"car":1e400}})") != "");
  CHECK(refusal(R"({"data":0,"regions":{}})") == "'regions' must be a list");
  CHECK(refusal(R"({"data":0,"regions":[1]})") == "each of the 'regions' must be an object");
  CHECK(refusal(R"({"data":0,"regions":[{"top":0,"left":0,"bottom":1}]})") == "'right' of a region must be a number");
  CHECK(refusal(R"({"data":0,"image":"jpg"})").starts_with("'image' must be empty"));
  CHECK(refusal(R"({"data":0,"preprocess":["grayscale"]})") == "'preprocess' must be empty");
  std::string many = R"({"data":0,"regions":[)";
  for (std::size_t i = 0; i <= kMostRegions; ++i) many += i == 0 ? "{}" : ",{}";
  CHECK(refusal(many + "]}") == "a request may have at most 64 regions");
  std::string labels = R"({"data":0,"detect":{)";
  for (std::size_t i = 0; i <= kMostPercents; ++i) labels += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":1";
  CHECK(refusal(labels + "}}") == "a request may have at most 1000 percents");
}

TEST_CASE("DOODS: of a request that is refused the id is known", "[app][unit]") {
  DetectRequest request;
  CHECK_FALSE(parse_detect_request(R"({"data":0,"detect":{"car":20},"regions":1,"id":"7"})", 1, request).ok());
  CHECK(request.id == "7");
  CHECK(request.detect == Thresholds());
  CHECK_FALSE(parse_detect_request(R"({"id":[]})", 1, request).ok());
}

TEST_CASE("DOODS: an object needs the confidence of its label, else of the star", "[app][unit]") {
  const auto request = parsed(R"({"data":0,"detect":{"*":50,"person":60}})");
  const Box box{0, 0, 1, 1};
  CHECK(request.wants("person", 0.6F, box));
  CHECK_FALSE(request.wants("person", 0.59F, box));  // the star does not help a label that has its own percent
  CHECK(request.wants("car", 0.5F, box));
  CHECK_FALSE(request.wants("car", 0.49F, box));
  CHECK_FALSE(parsed(R"({"data":0,"detect":{"person":60}})").wants("car", 1, box));
}

TEST_CASE("DOODS: a region takes objects that it covers, or that overlap it", "[app][unit]") {
  const std::string region = R"({"data":0,"regions":[{"top":0.2,"left":0.2,"bottom":0.6,"right":0.6,"detect":{"*":30})";
  const auto covers = parsed(region + R"(,"covers":true}]})");
  const auto overlaps = parsed(region + "}]}");
  const Box inside{0.2F, 0.3F, 0.5F, 0.6F};
  const Box across{0.5F, 0.5F, 0.9F, 0.9F};
  const Box outside{0.7F, 0.7F, 0.9F, 0.9F};
  CHECK(covers.wants("car", 0.3F, inside));
  CHECK_FALSE(covers.wants("car", 0.3F, across));
  CHECK(overlaps.wants("car", 0.3F, across));
  CHECK_FALSE(overlaps.wants("car", 0.3F, outside));
  CHECK_FALSE(overlaps.wants("car", 0.29F, across));
  // A threshold of `detect` that an object does not reach leaves the regions open to it.
  const auto both = parsed(R"({"data":0,"detect":{"*":90},"regions":[{"top":0,"left":0,"bottom":1,"right":1,)"
                           R"("detect":{"car":30}}]})");
  CHECK(both.wants("car", 0.3F, inside));
  CHECK_FALSE(both.wants("cat", 0.3F, inside));
}

}  // namespace
}  // namespace yolod::app::api::doods::detect_request_test
