#include "app/api/answer_packer.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "tests/support/packed_bodies.hpp"

namespace yolod::app::api {
namespace {

TEST_CASE("AnswerPacker: an answer is compressed in pieces, with its coding in the header", "[app][unit]") {
  const auto coding = GENERATE(ContentCoding::kGzip, ContentCoding::kDeflate);
  std::string text;
  while (text.size() < 300'000) text += "0.25," + std::to_string(text.size());
  http::Response response;
  response.body += text;
  AnswerPacker packer(coding);
  int pieces = 1;
  while (!packer.pack_some(response)) ++pieces;
  CHECK(pieces == 19);  // of 16 KiB
  CHECK(response.body.size() < text.size());
  CHECK(tests::unpacked(response.body.view()) == text);
  CHECK(response.fields.view() == "Content-Encoding: " + std::string(to_string(coding)) + "\r\n");
}

TEST_CASE("AnswerPacker: it does not change an answer that would not become shorter", "[app][unit]") {
  std::mt19937 random(1);  // NOLINT(*-msc51-cpp): the same bytes in each run
  std::string noise(40'000, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  http::Response response;
  response.body += noise;
  AnswerPacker packer(ContentCoding::kGzip);
  while (!packer.pack_some(response)) {
  }
  CHECK(response.body.view() == noise);
  CHECK(response.fields.view().empty());
}

}  // namespace
}  // namespace yolod::app::api
