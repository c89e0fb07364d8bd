#include "app/process/worker_output.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "common/forwarded_line.hpp"

namespace yolod::app::process {
namespace {

using common::Clock;
using common::LogLevel;
using namespace std::chrono_literals;

std::vector<std::string> lines_of(const std::vector<std::string>& pieces) {
  std::vector<std::string> lines;
  LineSplitter splitter([&](std::string_view line) { lines.emplace_back(line); });
  for (const auto& piece : pieces) splitter.feed(piece);
  splitter.end();
  return lines;
}

TEST_CASE("LineSplitter: lines come whole, however the bytes are cut", "[app][unit]") {
  const std::vector<std::string> expected{"one", "", "two", "rest"};
  CHECK(lines_of({"one\n\ntwo\nrest"}) == expected);
  CHECK(lines_of({"on", "e", "\n", "\ntw", "o\nre", "st"}) == expected);
  CHECK(lines_of({}).empty());
  CHECK(lines_of({"\n"}) == std::vector<std::string>{""});
}

TEST_CASE("LineSplitter: a line that is too long comes in pieces, and no byte is lost", "[app][unit]") {
  const std::string longest(LineSplitter::kLongestLine, 'x');
  CHECK(lines_of({longest + "y\n"}) == std::vector<std::string>{longest, "y"});
  CHECK(lines_of({longest + longest}) == std::vector<std::string>{longest, longest});
  // A line of just that length is one line, and no empty one after it.
  CHECK(lines_of({longest + "\nz"}) == std::vector<std::string>{longest, "z"});
}

TEST_CASE("LineAllowance: a burst, then a steady pace", "[app][unit]") {
  LineAllowance allowance;
  const Clock::time_point start{1h};
  const auto taken_at = [&](Clock::time_point now) {
    int count = 0;
    while (allowance.take(now)) ++count;
    return count;
  };
  CHECK(taken_at(start) == static_cast<int>(LineAllowance::kBurst));
  CHECK(taken_at(start) == 0);
  CHECK(taken_at(start + 1s) == static_cast<int>(LineAllowance::kPerSecond));
  CHECK(taken_at(start + 2s) == static_cast<int>(LineAllowance::kPerSecond));
  CHECK(taken_at(start + 1h) == static_cast<int>(LineAllowance::kBurst));
}

TEST_CASE("ForwardedLine: what a worker logs comes back with its level and pid", "[app][unit]") {
  for (const auto level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    const auto line = common::forwarded_line(level, "a <4>1 message");
    REQUIRE(line.ends_with('\n'));
    const auto parsed = common::parse_forwarded_line(std::string_view(line).substr(0, line.size() - 1));
    CHECK(parsed.level == level);
    CHECK(parsed.pid == getpid());
    CHECK(parsed.message == "a <4>1 message");
  }
}

TEST_CASE("ForwardedLine: any other text is a library's, whole", "[app][unit]") {
  const std::string text =
      GENERATE("", "<", "<4>", "<4>12", "<4>x message", "<4>0 message", "<4>-1 message", "<4> message", "<5>12 message",
               "4>12 message", "<4>99999999999 message", "2026-01-02T03:04:05.678Z error yolod[1] cannot start");
  CAPTURE(text);
  const auto parsed = common::parse_forwarded_line(text);
  CHECK(parsed.pid == 0);
  CHECK(parsed.message == text);
  CHECK(parsed.level == LogLevel::kWarning);
}

}  // namespace
}  // namespace yolod::app::process
