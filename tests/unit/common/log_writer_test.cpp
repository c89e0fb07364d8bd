#include "common/log_writer.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

namespace yolod::common {
namespace {

std::string notice_of(std::uint64_t count) { return "dropped " + std::to_string(count) + "\n"; }

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  REQUIRE(::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Pipe make_socket_pair() {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  REQUIRE(::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Returns all bytes that can be read now.
std::string drain(const UniqueFd& reader) {
  std::string text;
  std::array<char, 65'536> piece{};
  for (;;) {
    const ssize_t count = ::read(reader.get(), piece.data(), piece.size());
    if (count <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
}

std::string line_of(int number, std::size_t bytes = 100) {
  std::string line = "line " + std::to_string(number) + ' ';
  line.resize(bytes - 1, '.');
  return line + '\n';
}

std::ptrdiff_t lines_in(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

// Writes until lines are dropped, then reads everything. Only the lines that the notice counts may be lost.
void check_stall_and_recovery(const Pipe& pipe) {
  LogWriter writer(pipe.writer.get(), notice_of);
  constexpr int kLines = 20'000;  // 2 MB: far more than the pipe and the buffer hold
  for (int i = 0; i < kLines; ++i) writer.write(line_of(i));
  CHECK(writer.waiting_bytes() > 0);
  CHECK(writer.waiting_bytes() <= LogWriter::kBufferBytes);
  const std::uint64_t dropped = writer.dropped_count();
  CHECK(dropped > 0);

  std::string text;
  while (!writer.flush()) text += drain(pipe.reader);
  text += drain(pipe.reader);
  const std::string notice = notice_of(dropped);
  CHECK(text.ends_with(notice));
  CHECK(lines_in(text) + static_cast<std::ptrdiff_t>(dropped) == kLines + 1);
  std::string expected;
  for (int i = 0; i < kLines - static_cast<int>(dropped); ++i) expected += line_of(i);
  CHECK((text == expected + notice));

  writer.write("after\n");
  CHECK(drain(pipe.reader) == "after\n");
  CHECK(writer.dropped_count() == 0);
}

TEST_CASE("LogWriter: a line is written at once", "[common][unit]") {
  const Pipe pipe = make_pipe();
  LogWriter writer(pipe.writer.get(), notice_of);
  CHECK(writer.flush());
  writer.write("one\n");
  writer.write("two\n");
  CHECK(writer.waiting_bytes() == 0);
  CHECK(drain(pipe.reader) == "one\ntwo\n");
}

TEST_CASE("LogWriter: a full pipe without a reader never blocks the writer, and a notice counts the lost lines",
          "[common][unit]") {
  check_stall_and_recovery(make_pipe());
}

TEST_CASE("LogWriter: a full socket without a reader never blocks the writer", "[common][unit]") {
  check_stall_and_recovery(make_socket_pair());
}

TEST_CASE("LogWriter: the shared description keeps its flags", "[common][unit]") {
  const Pipe pipe = make_pipe();
  LogWriter writer(pipe.writer.get(), notice_of);
  writer.write("x\n");
  CHECK((::fcntl(pipe.writer.get(), F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("LogWriter: lines longer than PIPE_BUF arrive whole", "[common][unit]") {
  const Pipe pipe = make_pipe();
  LogWriter writer(pipe.writer.get(), notice_of);
  const std::string line = line_of(1, 50'000);
  writer.write(line);
  CHECK((drain(pipe.reader) == line));
}

TEST_CASE("LogWriter: a line as large as the buffer is kept, and a larger line is dropped", "[common][unit]") {
  const Pipe pipe = make_pipe();
  LogWriter writer(pipe.writer.get(), notice_of);
  const std::string line = line_of(1, LogWriter::kBufferBytes);
  writer.write(line);
  std::string text;
  while (!writer.flush()) text += drain(pipe.reader);
  CHECK((text + drain(pipe.reader) == line));
  writer.write(line_of(1, LogWriter::kBufferBytes + 1));
  CHECK(writer.dropped_count() == 1);
  writer.write("next\n");
  CHECK(drain(pipe.reader) == "dropped 1\nnext\n");
}

TEST_CASE("LogWriter: a reader that is gone loses lines and kills no process", "[common][unit]") {
  Pipe pipe = make_pipe();
  LogWriter writer(pipe.writer.get(), notice_of);
  pipe.reader.reset();
  // SIGPIPE has its default action, as in a worker.
  const auto previous = std::signal(SIGPIPE, SIG_DFL);
  writer.write("one\n");
  writer.write("two\n");
  CHECK(writer.flush());
  std::signal(SIGPIPE, previous);
  CHECK(writer.waiting_bytes() == 0);
  CHECK(writer.dropped_count() == 2);
}

TEST_CASE("LogWriter: a descriptor that is closed loses lines", "[common][unit]") {
  LogWriter writer(-1, notice_of);
  writer.write("one\n");
  // poll() ignores a negative descriptor, so the line waits for one that never comes.
  CHECK_FALSE(writer.flush());
  Pipe pipe = make_pipe();
  const int number = pipe.writer.get();
  pipe.writer.reset();
  LogWriter closed(number, notice_of);
  closed.write("one\n");
  CHECK(closed.waiting_bytes() == 0);
  CHECK(closed.dropped_count() == 1);
}

TEST_CASE("LogWriter: a disk that is full drops lines and counts them", "[common][unit]") {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  REQUIRE(full.valid());
  LogWriter writer(full.get(), notice_of);
  for (int i = 0; i < 5; ++i) writer.write(line_of(i));
  CHECK(writer.waiting_bytes() == 0);
  CHECK(writer.dropped_count() == 5);
}

TEST_CASE("LogWriter: a second process that fills the same pipe does not block the writer longer than a stalled reader",
          "[common][unit]") {
  const Pipe pipe = make_pipe();
  LogWriter writer(pipe.writer.get(), notice_of);
  const pid_t other = ::fork();
  REQUIRE(other >= 0);
  if (other == 0) {
    const std::string text(65'536, 'x');
    for (;;) {
      if (::write(pipe.writer.get(), text.data(), text.size()) < 0) ::_exit(0);
    }
  }
  for (int i = 0; i < 5000; ++i) {
    writer.write(line_of(i));
    if (i % 100 == 0) drain(pipe.reader);
  }
  ::kill(other, SIGKILL);
  REQUIRE(::waitpid(other, nullptr, 0) == other);
  SUCCEED("it returned");
}

}  // namespace
}  // namespace yolod::common
