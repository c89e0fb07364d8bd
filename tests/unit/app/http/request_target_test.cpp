#include "app/http/request_target.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>

namespace yolod::app::http {
namespace {

using namespace std::string_literals;
using Query = std::vector<std::pair<std::string, std::string>>;

struct Parsed {
  std::string path;
  Query query;
};

Parsed target_of(std::string_view text) {
  CAPTURE(text);
  RequestTarget target;
  REQUIRE(target.parse(text));
  return {std::string(target.path()), {target.query().begin(), target.query().end()}};
}

bool is_target(std::string_view text) { return RequestTarget().parse(text); }

TEST_CASE("Target: a path alone has no query", "[app][unit]") {
  CHECK(target_of("/").path == "/");
  CHECK(target_of("/predict").path == "/predict");
  CHECK(target_of("/predict").query.empty());
  CHECK(target_of("/predict?").path == "/predict");
  CHECK(target_of("/predict?").query.empty());
}

TEST_CASE("Target: a query is split into pairs, in order", "[app][unit]") {
  CHECK(target_of("/p?a=1&b=2&a=3").query == Query{{"a", "1"}, {"b", "2"}, {"a", "3"}});
  CHECK(target_of("/p?a").query == Query{{"a", ""}});
  CHECK(target_of("/p?a=").query == Query{{"a", ""}});
  CHECK(target_of("/p?=1").query == Query{{"", "1"}});
  CHECK(target_of("/p?a=b=c").query == Query{{"a", "b=c"}});
  CHECK(target_of("/p?a=1?b=2").query == Query{{"a", "1?b=2"}});
}

TEST_CASE("Target: empty pairs are skipped", "[app][unit]") {
  CHECK(target_of("/p?&&a=1&&b=2&").query == Query{{"a", "1"}, {"b", "2"}});
  CHECK(target_of("/p?&").query.empty());
}

TEST_CASE("Target: percent escapes are decoded in path, names and values", "[app][unit]") {
  CHECK(target_of("/pr%65dict").path == "/predict");
  CHECK(target_of("/%2e%2E/%2F").path == "/..//");
  CHECK(target_of("/p?%61=%20%26%3d").query == Query{{"a", " &="}});
  CHECK(target_of("/p?m=Stra%C3%9Fe").query == Query{{"m", "Stra\xC3\x9F\x65"}});
  CHECK(target_of("/%25%32%35").path == "/%25");
  CHECK(target_of("/a%3Fb").path == "/a?b");
  CHECK(target_of("/a%23b").path == "/a#b");
}

TEST_CASE("Target: plus is a space in a query and a plus in a path", "[app][unit]") {
  CHECK(target_of("/a+b").path == "/a+b");
  CHECK(target_of("/p?a+b=c+d%2B").query == Query{{"a b", "c d+"}});
}

TEST_CASE("Target: a target with a fragment is refused, because clients do not send fragments", "[app][unit]") {
  const auto text = GENERATE("/p#x"s, "/p?a=1#b=2"s, "/p#?a=1"s, "/p#"s, "http://host/p#x"s);
  CAPTURE(text);
  CHECK_FALSE(is_target(text));
}

TEST_CASE("Target: a target that is not in origin form is refused", "[app][unit]") {
  const auto text = GENERATE(""s, "*"s, "predict"s, "ftp://host/predict"s, "?a=1"s, "#"s, " /"s, "%2Fpredict"s);
  CHECK_FALSE(is_target(text));
}

TEST_CASE("Target: a broken percent escape is refused wherever it is", "[app][unit]") {
  const auto broken = GENERATE("%"s, "%4"s, "%%41"s, "%G0"s, "%0G"s, "% 1"s, "%-1"s, "%+1"s, "%0x"s);
  CHECK_FALSE(is_target("/" + broken));
  CHECK_FALSE(is_target("/p?" + broken + "=1"));
  CHECK_FALSE(is_target("/p?a=" + broken));
  CHECK_FALSE(is_target("/p?a=" + broken + "&b=1"));
}

TEST_CASE("Target: a NUL is refused, escaped or not", "[app][unit]") {
  CHECK_FALSE(is_target("/a%00"));
  CHECK_FALSE(is_target("/p?a=%00"));
  CHECK_FALSE(is_target("/p?%00=1"));
  CHECK_FALSE(is_target("/a\0b"s));
}

TEST_CASE("Target: random bytes never crash the parser, and every accepted path begins with a slash", "[app][unit]") {
  std::mt19937 random(3);
  constexpr std::string_view kLikely = "/?&=%+#09afAF\0\x80";
  for (int round = 0; round < 20'000; ++round) {
    std::string text = round % 4 == 0 ? "" : "/";
    for (unsigned i = random() % 24; i > 0; --i) text.push_back(kLikely[random() % kLikely.size()]);
    RequestTarget target;
    if (target.parse(text)) REQUIRE(target.path().starts_with('/'));
  }
}

TEST_CASE("Target: the absolute form is read as its path", "[app][unit]") {
  CHECK(target_of("http://host:8080/predict?model=m").path == "/predict");
  CHECK(target_of("http://host:8080/predict?model=m").query == Query{{"model", "m"}});
  CHECK(target_of("http://host").path == "/");
  CHECK(target_of("HTTP://host/predict").path == "/predict");
  CHECK(target_of("http://[::1]:80/predict").path == "/predict");
}

TEST_CASE("Target: the authority of the absolute form ends where its path or its query begins", "[app][unit]") {
  CHECK(target_of("http://host?a=/predict").path == "/");
  CHECK(target_of("http://host?a=/predict").query == Query{{"a", "/predict"}});
}

TEST_CASE("Target: the authority of the absolute form must be a host", "[app][unit]") {
  const auto text = GENERATE("http://"s, "http:///predict"s, "http://a@b/predict"s, "http://a b/predict"s,
                             "http://a:b/predict"s, "http://[::1/predict"s, "http://:80/"s, "http:/predict"s, "http:"s,
                             "https://host/predict"s, "http://a\\b/predict"s);
  CAPTURE(text);
  CHECK_FALSE(is_target(text));
}

TEST_CASE("Target: one object reads several targets in turn", "[app][unit]") {
  RequestTarget target;
  REQUIRE(target.parse("/first?a=1&b=2"));
  REQUIRE(target.parse("/second?c=%33"));
  CHECK(target.path() == "/second");
  CHECK(target.query() == RequestTarget::Query{{"c", "3"}});
  CHECK_FALSE(target.parse("/third?a=1&b=%"));
  CHECK(target.path().empty());
  CHECK(target.query().empty());
}

}  // namespace
}  // namespace yolod::app::http
