#include "app/api/page/pages.hpp"

#include <catch2/catch.hpp>
#include <regex>
#include <string>
#include <vector>

namespace yolod::app::api::page {
namespace {

const std::vector<const EmbeddedFile*> kPages{&kLoginPage, &kAccountPage, &kAdminPage};

http::Response written(const EmbeddedFile& file, std::string_view if_none_match = {}) {
  http::Response response;
  write_file(file, if_none_match, response);
  return response;
}

std::string text_of(const http::Response& response) { return std::string(response.body.view()); }

TEST_CASE("PeoplePages: a page runs only its own script, and no other site can frame it", "[app][unit]") {
  for (const EmbeddedFile* page : kPages) {
    const auto response = written(*page);
    const std::string fields(response.fields.view());
    CHECK(response.content_type == "text/html; charset=utf-8");
    CHECK(fields.find("default-src 'none'; script-src 'self';") != std::string::npos);
    CHECK(fields.find("frame-ancestors 'none'") != std::string::npos);
    CHECK(fields.find("form-action 'none'") != std::string::npos);
    CHECK(fields.find("unsafe") == std::string::npos);
    CHECK(fields.find("X-Frame-Options: DENY\r\n") != std::string::npos);
    CHECK(fields.find("X-Content-Type-Options: nosniff\r\n") != std::string::npos);
  }
}

TEST_CASE("PeoplePages: the policy allows everything that a page has", "[app][unit]") {
  const std::regex inline_code(
      R"(<style|\sstyle=|\son[a-z]+=|javascript:|<script(?! src="pages/people\.js" defer></script>))");
  for (const EmbeddedFile* page : kPages) {
    const auto html = text_of(written(*page));
    CHECK_FALSE(std::regex_search(html, inline_code));
    CHECK(html.find("pages/people.css") != std::string::npos);
    CHECK(html.find("http://") == std::string::npos);
    CHECK(html.find("https://") == std::string::npos);
    // Without the script, a form with GET would put the password into the address.
    CHECK(html.find("<form") != std::string::npos);
    CHECK_FALSE(std::regex_search(html, std::regex(R"(<form id="[a-z-]+"(?! method="post"))")));
  }
}

TEST_CASE("PeoplePages: the script writes text only, and goes to fixed addresses only", "[app][unit]") {
  const auto response = written(kPeopleJs);
  const auto script = text_of(response);
  CHECK(response.content_type == "text/javascript; charset=utf-8");
  for (const char* unsafe :
       {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "location.search", "location.hash",
        "location.href", "URLSearchParams", "localStorage", "document.cookie"}) {
    CAPTURE(unsafe);
    CHECK(script.find(unsafe) == std::string::npos);
  }
  const std::regex navigation(R"(location\.(replace|assign)\('(login|account)'\))");
  const auto good =
      std::distance(std::sregex_iterator(script.begin(), script.end(), navigation), std::sregex_iterator());
  const std::regex any(R"(location\b)");
  CHECK(std::distance(std::sregex_iterator(script.begin(), script.end(), any), std::sregex_iterator()) == good);
}

TEST_CASE("PeoplePages: the script finds each element that it names", "[app][unit]") {
  const auto script = text_of(written(kPeopleJs));
  std::string all_pages;
  for (const EmbeddedFile* page : kPages) all_pages += text_of(written(*page));
  const std::regex named(R"((?:\$|onSubmit|onClick)\('([a-z-]+)')");
  int count = 0;
  for (auto match = std::sregex_iterator(script.begin(), script.end(), named); match != std::sregex_iterator();
       ++match) {
    CAPTURE((*match)[1].str());
    CHECK(all_pages.find("id=\"" + (*match)[1].str() + "\"") != std::string::npos);
    ++count;
  }
  CHECK(count > 20);
  CHECK(written(kPeopleCss).content_type == "text/css; charset=utf-8");
}

}  // namespace
}  // namespace yolod::app::api::page
