#include "worker/child_task.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/unique_fd.hpp"

namespace yolod::worker {
namespace {

using common::Clock;
using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::size_t kMostBytes = 4096;

[[noreturn]] void be_the_child(const std::function<std::string()>& work, int out, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(EXIT_FAILURE);  // the parent died before prctl(), so nothing would end this process
  try {
    const std::string result = work().substr(0, kMostBytes);
    const auto written = write(out, result.data(), result.size());  // a pipe takes this much in one write
    _exit(written == static_cast<ssize_t>(result.size()) ? EXIT_SUCCESS : EXIT_FAILURE);
  } catch (...) {  // no exception may unwind into the parent's stack frames
    _exit(EXIT_FAILURE);
  }
}

// Reads to the end of the child's output. Returns false if `end` came first.
bool read_until(int from, Clock::time_point end, std::string& text) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    pollfd readable{from, POLLIN, 0};
    const int ready = poll(&readable, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    std::array<char, kMostBytes> piece;
    const auto bytes = read(from, piece.data(), piece.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return bytes == 0;
    if (text.size() + static_cast<std::size_t>(bytes) > kMostBytes) return false;
    text.append(piece.data(), static_cast<std::size_t>(bytes));
  }
}

// Returns the child's status, or nullopt if the child has not ended before `end`.
std::optional<int> wait_until(pid_t child, Clock::time_point end) {
  constexpr useconds_t kPause = 500;
  int status = 0;
  for (;;) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR) return std::nullopt;
    if (Clock::now() >= end) return std::nullopt;
    usleep(kPause);
  }
}

}  // namespace

Outcome<std::string> run_in_child(const std::function<std::string()>& work, std::chrono::milliseconds limit) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return common::last_system_error("cannot make a pipe");
  common::UniqueFd in(ends[0]);
  common::UniqueFd out(ends[1]);
  const auto end = Clock::now() + limit;
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return common::last_system_error("cannot fork");
  if (child == 0) be_the_child(work, out.get(), parent);
  out.reset();
  std::string text;
  std::optional<int> ended;
  if (read_until(in.get(), end, text)) ended = wait_until(child, end);
  if (!ended) {
    kill(child, SIGKILL);
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return Error{ErrorCode::kInternal, "the child process took longer than " + std::to_string(limit.count()) + " ms"};
  }
  const int status = *ended;
  if (WIFSIGNALED(status)) {
    return Error{ErrorCode::kInternal, "the child process died of signal " + std::to_string(WTERMSIG(status))};
  }
  if (WEXITSTATUS(status) != EXIT_SUCCESS) return Error{ErrorCode::kInternal, "it failed"};
  return text;
}

}  // namespace yolod::worker
