#include <openssl/evp.h>

#include <array>
#include <catch2/catch.hpp>
#include <regex>
#include <string>

#include "app/api/page/pages.hpp"

namespace yolod::app::api::page {
namespace {

// Returns what stands between the two tags, which must occur once.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const auto from = text.find(begin);
  REQUIRE(from != std::string::npos);
  CHECK(text.find(begin, from + 1) == std::string::npos);
  const auto to = text.find(end, from);
  REQUIRE(to != std::string::npos);
  return text.substr(from + begin.size(), to - from - begin.size());
}

std::string sha256_base64(const std::string& text) {
  std::array<unsigned char, 32> digest{};
  REQUIRE(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  std::array<unsigned char, 45> base64{};
  EVP_EncodeBlock(base64.data(), digest.data(), digest.size());
  return reinterpret_cast<const char*>(base64.data());
}

std::string page() { return std::string(kPage.content); }

TEST_CASE("Page: the policy allows the page's own script and style, and nothing else", "[app][unit]") {
  const std::string policy(kPage.policy);
  CHECK(policy.find("default-src 'none'; ") == 0);
  CHECK(policy.find("script-src 'sha256-" + sha256_base64(between(page(), "<script>", "</script>")) + "';") !=
        std::string::npos);
  CHECK(policy.find("style-src 'sha256-" + sha256_base64(between(page(), "<style>", "</style>")) + "';") !=
        std::string::npos);
  CHECK(policy.find("unsafe") == std::string::npos);
  CHECK(policy.find("frame-ancestors 'none'") != std::string::npos);
  // The policy forbids styles and code in attributes.
  CHECK_FALSE(std::regex_search(page(), std::regex(R"(<[^>]*\s(style|on[a-z]+)=)")));
}

TEST_CASE("Page: the document is small and needs no other file", "[app][unit]") {
  CHECK(page().size() < 60'000);
  CHECK(page().find("https://") == std::string::npos);
  // The icon is a data: URL.
  CHECK_FALSE(std::regex_search(page(), std::regex(R"(<(link|img|iframe|script)\s(?!rel="icon" href="data:))")));
  // The address of SVG's namespace names no file.
  const std::regex address("http://(?!www\\.w3\\.org/2000/svg')");
  CHECK_FALSE(std::regex_search(page(), address));
}

TEST_CASE("Page: the script writes text only, and finds each element that it names", "[app][unit]") {
  const auto script = between(page(), "<script>", "</script>");
  for (const char* unsafe : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage",
                             "document.cookie", "location"}) {
    CAPTURE(unsafe);
    CHECK(script.find(unsafe) == std::string::npos);
  }
  const std::regex named(R"(\$\('([a-z-]+)'\))");
  int count = 0;
  for (auto match = std::sregex_iterator(script.begin(), script.end(), named); match != std::sregex_iterator();
       ++match) {
    CAPTURE((*match)[1].str());
    CHECK(page().find("id=\"" + (*match)[1].str() + "\"") != std::string::npos);
    ++count;
  }
  CHECK(count > 20);
}

TEST_CASE("Page: a client that has the present page gets 304 without it", "[app][unit]") {
  http::Response response;
  write_file(kPage, {}, response);
  CHECK(response.status == boost::beast::http::status::ok);
  CHECK(response.body.view() == kPage.content);
  CHECK(response.fields.view().find("ETag: " + std::string(kPage.etag) + "\r\n") != std::string_view::npos);
  const std::string etag(kPage.etag);
  for (const std::string& known : {etag, "W/" + etag, "\"other\", " + etag, std::string("*")}) {
    CAPTURE(known);
    write_file(kPage, known, response);
    CHECK(response.status == boost::beast::http::status::not_modified);
    CHECK(response.body.size() == 0);
  }
  for (const std::string& other : {std::string("\"other\""), std::string(kLoginPage.etag)}) {
    write_file(kPage, other, response);
    CHECK(response.status == boost::beast::http::status::ok);
  }
}

}  // namespace
}  // namespace yolod::app::api::page
