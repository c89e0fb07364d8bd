#include "app/process/worker_output.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/forwarded_line.hpp"
#include "common/log.hpp"
#include "tests/support/temporary_directory.hpp"

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

TEST_CASE("LineSplitter: lines arrive complete, however the bytes are cut", "[app][unit]") {
  const std::vector<std::string> expected{"one", "", "two", "rest"};
  CHECK(lines_of({"one\n\ntwo\nrest"}) == expected);
  CHECK(lines_of({"on", "e", "\n", "\ntw", "o\nre", "st"}) == expected);
  CHECK(lines_of({}).empty());
  CHECK(lines_of({"\n"}) == std::vector<std::string>{""});
}

TEST_CASE("LineSplitter: a line that is too long arrives in pieces, and no byte is lost", "[app][unit]") {
  const std::string longest(LineSplitter::kLongestLine, 'x');
  CHECK(lines_of({longest + "y\n"}) == std::vector<std::string>{longest, "y"});
  CHECK(lines_of({longest + longest}) == std::vector<std::string>{longest, longest});
  // A line of exactly that length is one line. No empty line follows it.
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

TEST_CASE("ForwardedLine: a worker's log line is parsed into its level and pid", "[app][unit]") {
  for (const auto level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    const auto line = common::forwarded_line(level, "a <4>1 message");
    REQUIRE(line.ends_with('\n'));
    const auto parsed = common::parse_forwarded_line(std::string_view(line).substr(0, line.size() - 1));
    CHECK(parsed.level == level);
    CHECK(parsed.pid == getpid());
    CHECK(parsed.message == "a <4>1 message");
  }
}

TEST_CASE("ForwardedLine: any other text comes from a library and stays whole", "[app][unit]") {
  const std::string text =
      GENERATE("", "<", "<4>", "<4>12", "<4>x message", "<4>0 message", "<4>-1 message", "<4> message", "<5>12 message",
               "4>12 message", "<4>99999999999 message", "2026-01-02T03:04:05.678Z error yolod[1] cannot start");
  CAPTURE(text);
  const auto parsed = common::parse_forwarded_line(text);
  CHECK(parsed.pid == 0);
  CHECK(parsed.message == text);
  CHECK(parsed.level == LogLevel::kWarning);
}

// The output of a model "m", and a log that can be read.
class OutputBench {
 public:
  OutputBench() {
    REQUIRE(common::configure_log({common::LogLevel::kInfo, common::LogFormat::kText, file_}, "yolod"));
    auto opened = WorkerOutput::open(io, "model m");
    REQUIRE(opened);
    output = std::move(*opened);
    // A test that writes more than is read must not wait.
    fcntl(output->write_end(), F_SETFL, O_NONBLOCK);
  }
  ~OutputBench() {
    output.reset();
    (void)common::configure_log({}, "yolod");
  }
  // Returns how many of the bytes were read.
  std::size_t print(std::string_view text) const {
    const ssize_t bytes = write(output->write_end(), text.data(), text.size());
    return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
  }
  void turn() {
    io.restart();
    io.poll();
  }
  // Returns the messages of the log.
  [[nodiscard]] std::vector<std::string> logged() const {
    common::flush_log();
    std::ifstream in(file_);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
      const auto message = line.find("model m");
      lines.push_back(message == std::string::npos ? line : line.substr(message));
    }
    return lines;
  }

  boost::asio::io_context io;
  std::unique_ptr<WorkerOutput> output;

 private:
  tests::TemporaryDirectory folder_;
  const std::string file_{(folder_.path() / "log").string()};
};

TEST_CASE("WorkerOutput: a line is logged as the model's, with the pid of the worker that logs it", "[app][unit]") {
  OutputBench bench;
  bench.print("a library's line\n" + common::forwarded_line(LogLevel::kError, "ours") +
              common::forwarded_line(LogLevel::kDebug, "below the log's level") + "begun");
  bench.turn();
  CHECK(bench.logged() == std::vector<std::string>{"model m, printed by a worker: a library's line",
                                                   "model m, said by process " + std::to_string(getpid()) + ": ours"});
  bench.print(" and ended\n");
  bench.turn();
  CHECK(bench.logged().back() == "model m, printed by a worker: begun and ended");
}

TEST_CASE("WorkerOutput: output before a death is logged on request, the rest at the end", "[app][unit]") {
  OutputBench bench;
  bench.print("last words\nthat have no");
  bench.output->read_now();
  CHECK(bench.logged() == std::vector<std::string>{"model m, printed by a worker: last words"});
  bench.print(" end");
  bench.output.reset();
  CHECK(bench.logged().back() == "model m, printed by a worker: that have no end");
}

TEST_CASE("WorkerOutput: after its end, queued handlers of the event loop do nothing", "[app][unit]") {
  OutputBench bench;
  bench.turn();
  bench.print("one line\n");
  bench.output.reset();
  bench.turn();
  CHECK(bench.logged().size() == 1);
}

TEST_CASE("WorkerOutput: a process that prints without end is read at a bounded pace", "[app][unit]") {
  OutputBench bench;
  const std::string many(WorkerOutput::kBytesPerTurn, 'x');  // the bytes hold no lines, only long pieces
  // The bytes that are read, and the most that may be read.
  const auto print_all = [&] {
    const auto began = Clock::now();
    std::size_t taken = 0;
    for (std::size_t some = 1; some != 0; taken += some) {
      some = bench.print(many);
      bench.turn();
    }
    const auto periods = static_cast<std::size_t>((Clock::now() - began) / WorkerOutput::kPeriod) + 1;
    return std::pair(taken, periods * WorkerOutput::kBytesPerPeriod + WorkerOutput::kPipeBytes);
  };
  const auto [first, most] = print_all();
  CHECK(first >= WorkerOutput::kBytesPerPeriod);
  CHECK(first <= most);
  // The reading continues in the next period.
  bench.io.restart();
  bench.io.run_for(2 * WorkerOutput::kPeriod);
  CHECK(print_all().first > 0);
}

TEST_CASE("WorkerOutput: lines above the limit are dropped and counted", "[app][unit]") {
  OutputBench bench;
  std::string lines;
  constexpr int kMore = 20;
  for (int i = 0; i < static_cast<int>(LineAllowance::kBurst) + kMore; ++i) lines += "l\n";
  bench.print(lines);
  bench.turn();
  CHECK(bench.logged().size() == static_cast<std::size_t>(LineAllowance::kBurst));
  // The first reading of the next period reports the count, once there is room for a line.
  bench.io.restart();
  bench.io.run_for(2 * WorkerOutput::kPeriod);
  bench.print("later\n");
  bench.turn();
  const auto logged = bench.logged();
  CHECK_THAT(logged, Catch::VectorContains(std::string("model m: its workers print too much; 20 lines were dropped")));
  CHECK(logged.back() == "model m, printed by a worker: later");
}

TEST_CASE("WorkerOutput: without descriptors the output cannot be opened, and leaves none open", "[app][unit]") {
  boost::asio::io_context io;
  REQUIRE(WorkerOutput::open(io, "model m"));  // the event loop needs these descriptors
  rlimit whole{};
  getrlimit(RLIMIT_NOFILE, &whole);
  const auto lowest_unused = [] {
    const int lowest = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    close(lowest);
    return lowest;
  };
  const int lowest = lowest_unused();
  int failed = 0;
  for (rlim_t most = static_cast<rlim_t>(lowest);; ++most, ++failed) {
    const rlimit little{most, whole.rlim_max};
    setrlimit(RLIMIT_NOFILE, &little);
    const auto opened = WorkerOutput::open(io, "model m");
    setrlimit(RLIMIT_NOFILE, &whole);
    if (opened) break;
    REQUIRE(most < static_cast<rlim_t>(lowest) + 1000);
    CHECK(opened.error().code == common::ErrorCode::kSystem);
    CHECK_THAT(opened.error().message, Catch::StartsWith("a pipe for the output of workers"));
    CHECK(lowest_unused() == lowest);
  }
  CHECK(failed >= 2);  // each end of the pipe, once
}

}  // namespace
}  // namespace yolod::app::process
