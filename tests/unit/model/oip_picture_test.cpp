#include "model/oip_picture.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <string>

namespace yolod::model {
namespace {

std::string length_and(const std::string& text) {
  const auto length = static_cast<std::uint32_t>(text.size());
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + text;
}

std::string picture_or_why(const std::string& request, std::uint32_t part) {
  const auto bytes = picture_in_oip(std::as_bytes(std::span(request.data(), request.size())), part);
  return bytes ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()) : bytes.error().message;
}

std::string request_with(const std::string& bytes, std::size_t size) {
  return R"({"inputs":[{"name":"image","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":)" +
         std::to_string(size) + "}}]}" + bytes;
}

TEST_CASE("OipPicture: it finds an element after the JSON, and a text in the JSON", "[model][unit]") {
  const std::string bytes = length_and("one") + length_and("second");
  const std::string request = request_with(bytes, bytes.size());
  CHECK(picture_or_why(request, 0) == "one");
  CHECK(picture_or_why(request, 1) == "second");
  const std::string texts = R"({"inputs":[{"name":"image","shape":[2],"datatype":"BYTES","data":["aGk=","eW8="]}]})";
  CHECK(picture_or_why(texts, 0) == "hi");
  CHECK(picture_or_why(texts, 1) == "yo");
}

TEST_CASE("OipPicture: each picture has an equal part of the planes", "[model][unit]") {
  const auto planes_or_why = [](const std::string& shape, const std::string& bytes, std::uint32_t part) {
    const std::string request = R"({"inputs":[{"name":"images","shape":)" + shape +
                                R"(,"datatype":"UINT8","parameters":{"binary_data_size":)" +
                                std::to_string(bytes.size()) + "}}]}" + bytes;
    const auto planes = planes_in_oip(std::as_bytes(std::span(request.data(), request.size())), part);
    return planes ? std::string(reinterpret_cast<const char*>(planes->data()), planes->size()) : planes.error().message;
  };
  CHECK(planes_or_why("[2,3,1,1]", "abcdef", 0) == "abc");
  CHECK(planes_or_why("[2,3,1,1]", "abcdef", 1) == "def");
  const std::string wrong = "unexpected size for input 'images'";
  CHECK(planes_or_why("[2,3,1,1]", "abcdef", 2) == wrong);
  CHECK(planes_or_why("[2,3,1,1]", "abcde", 0).starts_with("unexpected size 5 for input 'images'"));
  CHECK(planes_or_why("[0,3,1,1]", "", 0) == wrong);
  CHECK(planes_or_why("[]", "a", 0) == wrong);
}

TEST_CASE("OipPicture: a request whose bytes do not have the picture is refused", "[model][unit]") {
  const std::string bytes = length_and("one") + length_and("");
  CHECK(picture_or_why(request_with(bytes, bytes.size()), 1) == "picture 1 is empty");
  CHECK(picture_or_why(request_with(bytes, bytes.size()), 2).starts_with("incomplete string data"));
  CHECK(picture_or_why(request_with(std::string("\xFF\xFF\xFF\xFFx"), 5), 0).starts_with("incomplete string data"));
  CHECK(picture_or_why(request_with("", 4), 0).starts_with("unexpected end of the input data"));
  CHECK(picture_or_why("{", 0).starts_with("failed to parse"));
  CHECK(picture_or_why(R"({"inputs":[]})", 0) == "a request with pictures has one input");
  CHECK(picture_or_why(R"({"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["aGk="]}]})", 1) ==
        "'data' of input 'image' has too few texts");
}

}  // namespace
}  // namespace yolod::model
