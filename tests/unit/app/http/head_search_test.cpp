#include "app/http/head_search.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>

namespace yolod::app::http {
namespace {

using SearchState = HeadSearch::State;

struct Bench {
  void add(std::string_view bytes) {
    buffer.commit(boost::asio::buffer_copy(buffer.prepare(bytes.size()), boost::asio::buffer(bytes)));
  }
  SearchState look() { return search.look(buffer, reader, head); }

  boost::beast::flat_buffer buffer;
  RequestHeadReader reader;
  RequestHead head;
  HeadSearch search;
};

constexpr std::string_view kHead = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_CASE("HeadSearch: a head that arrives byte by byte is found with its last byte", "[app][unit]") {
  Bench bench;
  CHECK(bench.look() == SearchState::kNothing);
  for (const char byte : kHead.substr(0, kHead.size() - 1)) {
    bench.add({&byte, 1});
    REQUIRE(bench.look() == SearchState::kUnfinished);
  }
  bench.add(kHead.substr(kHead.size() - 1));
  REQUIRE(bench.look() == SearchState::kFound);
  CHECK(bench.head.target == "/x");
  CHECK(bench.head.bytes == kHead.size());
  CHECK(bench.buffer.size() == kHead.size());
}

TEST_CASE("HeadSearch: a body behind the head stays in the buffer", "[app][unit]") {
  Bench bench;
  bench.add("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  REQUIRE(bench.look() == SearchState::kFound);
  bench.buffer.consume(bench.head.bytes);
  CHECK(bench.buffer.size() == 3);
}

TEST_CASE("HeadSearch: up to four empty lines before a head are skipped", "[app][unit]") {
  const int count = GENERATE(1, 4, 5);
  CAPTURE(count);
  Bench bench;
  for (int i = 0; i < count; ++i) bench.add("\r\n");
  if (count <= 4) CHECK(bench.look() == SearchState::kNothing);
  bench.add(kHead);
  CHECK(bench.look() == (count <= 4 ? SearchState::kFound : SearchState::kBad));
}

TEST_CASE("HeadSearch: half an empty line waits for its other half", "[app][unit]") {
  Bench bench;
  bench.add("\r");
  CHECK(bench.look() == SearchState::kUnfinished);
  bench.add("\n");
  CHECK(bench.look() == SearchState::kNothing);
}

TEST_CASE("HeadSearch: the count of empty lines starts again after each head", "[app][unit]") {
  Bench bench;
  for (int round = 0; round < 3; ++round) {
    bench.add("\r\n\r\n\r\n\r\n");
    bench.add(kHead);
    REQUIRE(bench.look() == SearchState::kFound);
    bench.buffer.consume(bench.head.bytes);
    bench.search.restart();
  }
}

TEST_CASE("HeadSearch: bytes that cannot begin a head are refused at once", "[app][unit]") {
  Bench bench;
  bench.add("\x16\x03\x01 TLS");
  REQUIRE(bench.look() == SearchState::kBad);
  CHECK(bench.search.failure());
}

TEST_CASE("HeadSearch: lines that end in a line feed alone are refused", "[app][unit]") {
  Bench bench;
  bench.add("GET / HTTP/1.1\r\nHost: a\n");
  CHECK(bench.look() != SearchState::kFound);
  bench.add("\n");
  CHECK(bench.look() == SearchState::kBad);
}

TEST_CASE("HeadSearch: a head above the limit is refused before its end arrives", "[app][unit]") {
  Bench bench;
  bench.add("GET / HTTP/1.1\r\nX: ");
  REQUIRE(bench.look() == SearchState::kUnfinished);
  bench.add(std::string(RequestHeadReader::kLimitBytes, 'x'));
  REQUIRE(bench.look() == SearchState::kBad);
  CHECK(bench.search.failure() == boost::beast::http::error::header_limit);
}

}  // namespace
}  // namespace yolod::app::http
