#include "app/http/unsent_answer.hpp"

#include <catch2/catch.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace yolod::app::http {
namespace {

UnsentAnswer make(std::size_t written, bool head_alone = false) {
  TextBuffer head;
  head += "0123";
  Response response;
  response.body += "abcdefghij";
  return {std::move(head), std::move(response), head_alone, written};
}

std::string next_of(const UnsentAnswer& answer, std::size_t most_bytes = 100) {
  std::string text;
  for (const auto& buffer : answer.next(most_bytes))
    text.append(static_cast<const char*>(buffer.data()), buffer.size());
  return text;
}

TEST_CASE("UnsentAnswer: the next piece begins with the first unsent byte, wherever the last write stopped",
          "[app][unit]") {
  const std::string all = "0123abcdefghij";
  for (std::size_t written = 0; written <= all.size(); ++written) {
    CAPTURE(written);
    const auto answer = make(written);
    CHECK(next_of(answer) == all.substr(written));
    CHECK(answer.done() == (written == all.size()));
  }
}

TEST_CASE("UnsentAnswer: in pieces of any size, every byte is sent once", "[app][unit]") {
  const std::size_t piece = GENERATE(as<std::size_t>{}, 1, 3, 4, 5, 14);
  auto answer = make(0);
  std::string sent;
  while (!answer.done()) {
    const std::string next = next_of(answer).substr(0, piece);
    REQUIRE_FALSE(next.empty());
    sent += next;
    answer.sent(next.size());
  }
  CHECK(sent == "0123abcdefghij");
}

TEST_CASE("UnsentAnswer: the limit bounds the content bytes of one piece", "[app][unit]") {
  CHECK(next_of(make(0), 2) == "0123ab");
  CHECK(next_of(make(7), 2) == "de");
}

TEST_CASE("UnsentAnswer: an answer to a HEAD request sends only the head", "[app][unit]") {
  auto answer = make(1, true);
  CHECK(next_of(answer) == "123");
  answer.sent(3);
  CHECK(answer.done());
}

// An answer "0123abc", two parts and an empty part between them.
struct WithParts {
  WithParts() {
    head += "0123";
    response.body += "abc";
    for (const std::string_view text : {"defg", "", "hi", "jklmn", "o"}) {
      const auto bytes = std::as_bytes(std::span(text));
      response.parts.emplace_back(bytes.begin(), bytes.end());
    }
  }
  TextBuffer head;
  Response response;
};

TEST_CASE("UnsentAnswer: the parts of an answer follow its content, in pieces of any size", "[app][unit]") {
  const std::string all = "0123abcdefghijklmno";
  const std::size_t piece = GENERATE(as<std::size_t>{}, 1, 2, 3, 5, 30);
  const std::size_t written = GENERATE(as<std::size_t>{}, 0, 3, 4, 6, 7, 9, 12, 18);
  CAPTURE(piece, written);
  WithParts made;
  CHECK(made.response.content_bytes() == all.size() - 4);
  UnsentAnswer answer(std::move(made.head), std::move(made.response), false, written);
  std::string sent = all.substr(0, written);
  while (!answer.done()) {
    const std::string next = next_of(answer, 4).substr(0, piece);
    REQUIRE_FALSE(next.empty());
    sent += next;
    answer.sent(next.size());
  }
  CHECK(sent == all);
}

TEST_CASE("UnsentAnswer: the first bytes of an answer with parts have the head and a bounded content", "[app][unit]") {
  const WithParts made;
  const auto text_of = [&](bool head_alone, std::size_t most) {
    std::string text;
    for (const auto& buffer : first_bytes(made.head, made.response, head_alone, most))
      text.append(static_cast<const char*>(buffer.data()), buffer.size());
    return text;
  };
  CHECK(text_of(false, 100) == "0123abcdefg");
  CHECK(text_of(false, 5) == "0123abcde");
  CHECK(text_of(false, 2) == "0123ab");
  CHECK(text_of(true, 100) == "0123");
}

TEST_CASE("UnsentAnswer: a file replaces the text", "[app][unit]") {
  TextBuffer head;
  head += "H";
  Response response;
  response.body += "text";
  response.file = {std::byte{'f'}, std::byte{'i'}};
  CHECK(next_of(UnsentAnswer(std::move(head), std::move(response), false, 0)) == "Hfi");
}

}  // namespace
}  // namespace yolod::app::http
