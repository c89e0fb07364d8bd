#include "common/log.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "common/unique_fd.hpp"

namespace yolod::common {
namespace {

namespace fs = std::filesystem;

// A folder for log files. Its destructor resets the log.
class LogFolder {
 public:
  LogFolder() {
    std::string name = (fs::temp_directory_path() / "yolod-log-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  LogFolder(const LogFolder&) = delete;
  LogFolder& operator=(const LogFolder&) = delete;
  ~LogFolder() {
    static_cast<void>(configure_log(LoggingConfig{}, "yolod"));
    fs::remove_all(path_);
  }

  [[nodiscard]] fs::path file() const { return path_ / "log"; }
  [[nodiscard]] std::string text(const char* name = "log") const {
    std::ostringstream out;
    out << std::ifstream(path_ / name).rdbuf();
    return out.str();
  }
  void configure(LogFormat format, LogLevel level = LogLevel::kInfo) const {
    REQUIRE(configure_log(LoggingConfig{level, format, file()}, "yolod").ok());
  }

 private:
  fs::path path_;
};

// Tells whether `text` has the form `shape`, in which each # is a digit.
bool has_shape(const std::string& text, const std::string& shape) {
  return std::equal(text.begin(), text.end(), shape.begin(), shape.end(),
                    [](char c, char expected) { return expected == '#' ? c >= '0' && c <= '9' : c == expected; });
}

constexpr const char* kTimeShape = "####-##-##T##:##:##.###Z";

std::string own_pid() { return std::to_string(::getpid()); }

TEST_CASE("Log: a line of text has time, level, process, pid and message", "[common][unit]") {
  const LogFolder folder;
  folder.configure(LogFormat::kText);
  log_info("{} of {}", 3, "four");
  CHECK(has_shape(folder.text(), std::string(kTimeShape) + " info yolod[" + own_pid() + "] 3 of four\n"));
}

TEST_CASE("Log: a line of JSON is one object", "[common][unit]") {
  const LogFolder folder;
  folder.configure(LogFormat::kJson);
  log_warning("say \"{}\"\n\\", '\x01');
  CHECK(has_shape(folder.text(), "{\"ts\":\"" + std::string(kTimeShape) +
                                     R"(","level":"warning","process":"yolod","pid":)" + own_pid() +
                                     R"(,"message":"say \"\u0001\"\n\\"})" + "\n"));
}

TEST_CASE("Log: a message cannot start a new log line", "[common][unit]") {
  const LogFolder folder;
  folder.configure(LogFormat::kText);
  log_info("{}", "GET /\r\n2026-01-01T00:00:00.000Z error yolod[1] forged\x1B[2J\x7F");
  const std::string text = folder.text();
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.find("GET /\\r\\n2026") != std::string::npos);
  CHECK(text.find("forged\\x1b[2J\\x7f\n") != std::string::npos);
}

TEST_CASE("Log: messages below the level are not written", "[common][unit]") {
  const LogFolder folder;
  folder.configure(LogFormat::kText, LogLevel::kWarning);
  log_trace("no");
  log_debug("no");
  log_info("no");
  CHECK(folder.text().empty());
  CHECK_FALSE(log_enabled(LogLevel::kInfo));
  CHECK(log_enabled(LogLevel::kWarning));
  log_warning("yes");
  log_error("yes");
  const std::string text = folder.text();
  CHECK(text.find(" warning yolod[") != std::string::npos);
  CHECK(text.find(" error yolod[") != std::string::npos);
}

TEST_CASE("Log: at level trace every message is written", "[common][unit]") {
  const LogFolder folder;
  folder.configure(LogFormat::kText, LogLevel::kTrace);
  log_trace("a");
  log_debug("b");
  const std::string text = folder.text();
  CHECK(text.find(" trace ") != std::string::npos);
  CHECK(text.find(" debug ") != std::string::npos);
}

TEST_CASE("Log: a long message is cut", "[common][unit]") {
  const LogFolder folder;
  folder.configure(LogFormat::kText);
  log_message(LogLevel::kInfo, std::string(100'000, 'x'));
  const std::string text = folder.text();
  CHECK(text.size() < kMaxLogMessageBytes + 100);
  CHECK(text.ends_with("x...\n"));
}

TEST_CASE("Log: braces in a message are not a format", "[common][unit]") {
  const LogFolder folder;
  folder.configure(LogFormat::kText);
  log_message(LogLevel::kInfo, "{} {0:x}");
  CHECK(folder.text().ends_with("] {} {0:x}\n"));
}

TEST_CASE("Log: a format that fails at run time still gives a line", "[common][unit]") {
  const LogFolder folder;
  folder.configure(LogFormat::kText);
  log_info("{:{}}", "x", -1);
  CHECK(folder.text().ends_with("] {:{}}\n"));
}

TEST_CASE("Log: a forked child logs its own pid", "[common][unit]") {
  const LogFolder folder;
  folder.configure(LogFormat::kText);
  log_info("parent");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    log_info("child");
    ::_exit(0);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(folder.text().find("yolod[" + std::to_string(child) + "] child\n") != std::string::npos);
}

TEST_CASE("Log: after a rotation and a reopening the log continues in a new file", "[common][unit]") {
  const LogFolder folder;
  folder.configure(LogFormat::kText);
  log_info("before");
  fs::rename(folder.file(), folder.file().string() + ".1");
  log_info("still the old one");
  REQUIRE(reopen_log().ok());
  log_info("after");
  CHECK(folder.text("log.1").find("still the old one") != std::string::npos);
  CHECK(folder.text().find("after") != std::string::npos);
  CHECK(folder.text().find("before") == std::string::npos);
}

TEST_CASE("Log: a file that cannot be opened leaves the log unchanged", "[common][unit]") {
  const LogFolder folder;
  folder.configure(LogFormat::kText);
  const auto outcome = configure_log(LoggingConfig{LogLevel::kInfo, LogFormat::kText, "/nonexistent/log"}, "other");
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error().code == ErrorCode::kSystem);
  CHECK(outcome.error().message.find("/nonexistent/log") != std::string::npos);
  log_info("still here");
  CHECK(folder.text().find("still here") != std::string::npos);
}

TEST_CASE("Log: after a failed reopening the log continues in the old file", "[common][unit]") {
  const LogFolder folder;
  folder.configure(LogFormat::kText);
  fs::rename(folder.file(), folder.file().string() + ".1");
  fs::create_directory(folder.file());
  CHECK_FALSE(reopen_log().ok());
  log_info("kept");
  CHECK(folder.text("log.1").find("kept") != std::string::npos);
}

TEST_CASE("Log: a stalled stderr never makes the process wait, and the log counts the dropped lines",
          "[common][unit]") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  const UniqueFd saved(::dup(STDERR_FILENO));
  REQUIRE(::dup2(writer.get(), STDERR_FILENO) == STDERR_FILENO);
  const bool configured = configure_log(LoggingConfig{}, "yolod").ok();
  const std::string filler(1000, 'x');
  for (int i = 0; i < 1000; ++i) log_info("{} {}", i, filler);
  const bool all_out_before = flush_log();

  std::string text;
  std::array<char, 65'536> piece{};
  bool all_out = false;
  while (!all_out) {
    all_out = flush_log();
    pollfd readable{reader.get(), POLLIN, 0};
    while (::poll(&readable, 1, 0) == 1) {
      const ssize_t count = ::read(reader.get(), piece.data(), piece.size());
      if (count <= 0) break;
      text.append(piece.data(), static_cast<std::size_t>(count));
    }
  }
  REQUIRE(::dup2(saved.get(), STDERR_FILENO) == STDERR_FILENO);
  REQUIRE(configure_log(LoggingConfig{}, "yolod").ok());

  CHECK(configured);
  CHECK_FALSE(all_out_before);
  const std::size_t told = text.find(" log lines were dropped here");
  REQUIRE(told != std::string::npos);
  const std::size_t number = text.rfind(' ', told - 1) + 1;
  const auto lines = std::count(text.begin(), text.end(), '\n');
  CHECK(lines - 1 + std::stol(text.substr(number, told - number)) == 1000);
}

}  // namespace
}  // namespace yolod::common
