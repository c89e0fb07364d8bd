// Reads the stdout and stderr of the processes of one model, or of yolod-accounts: their own log lines, and any text
// that libraries print. The processes write to a pipe, and the front-end logs each line with its subject, so that no
// output of a worker can look like a line of the front-end. The front-end reads and logs at a limited rate. A process
// that writes without end fills the pipe and slows down only itself.
//
// The supervisor owns it. Only the thread of the front-end may call it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/lifeline.hpp"
#include "common/outcome.hpp"
#include "common/unique_fd.hpp"

namespace yolod::app::process {

// Splits bytes into lines. It is pure.
class LineSplitter {
 public:
  static constexpr std::size_t kLongestLine = 8192;

  explicit LineSplitter(std::function<void(std::string_view line)> on_line) : on_line_(std::move(on_line)) {}

  // Calls on_line for each complete line, without its line feed. A line above kLongestLine comes in pieces.
  void feed(std::string_view bytes);
  // Calls on_line for the last line if it has no line feed.
  void end();

 private:
  std::function<void(std::string_view)> on_line_;
  std::string begun_;
};

// Limits the lines that may be logged: kBurst at once, and kPerSecond in the long run. It is pure.
class LineAllowance {
 public:
  static constexpr double kBurst = 500;
  static constexpr double kPerSecond = 50;

  [[nodiscard]] bool take(common::Clock::time_point now);

 private:
  double left_{kBurst};
  common::Clock::time_point last_{};
};

class WorkerOutput {
 public:
  // Each logged line begins with `subject`, such as "model lights". Returns kSystem if the kernel refuses a pipe.
  [[nodiscard]] static common::Outcome<std::unique_ptr<WorkerOutput>> open(boost::asio::io_context& io,
                                                                           std::string subject);
  WorkerOutput(const WorkerOutput&) = delete;
  WorkerOutput& operator=(const WorkerOutput&) = delete;
  ~WorkerOutput();

  // The descriptor for the processes' stdout and stderr. This object keeps it open and owns it.
  [[nodiscard]] int write_end() const { return write_end_.get(); }
  // Logs the bytes that have been written so far. Call it before the death of a process is logged, so that its last
  // output comes first.
  void read_now();

  // The most bytes that the front-end reads in one turn of the event loop, in one read_now(), and in one kPeriod.
  static constexpr std::size_t kBytesPerTurn = 16U << 10U;
  static constexpr std::size_t kPipeBytes = 64U << 10U;
  static constexpr std::size_t kBytesPerPeriod = 256U << 10U;
  static constexpr std::chrono::milliseconds kPeriod{100};

 private:
  WorkerOutput(boost::asio::io_context& io, std::string subject, common::UniqueFd read_end, common::UniqueFd write_end);
  void await();
  void read_some(common::Clock::time_point now, std::size_t most);
  void log(std::string_view line);
  void say_what_was_dropped();

  const std::string subject_;
  boost::asio::posix::stream_descriptor read_end_;
  boost::asio::steady_timer pause_;
  common::UniqueFd write_end_;
  LineSplitter lines_;
  LineAllowance allowance_;
  std::uint64_t dropped_count_{0};
  common::Clock::time_point turn_began_{};
  common::Clock::time_point period_began_{};
  std::size_t read_in_period_{0};
  common::Lifeline lifeline_;
};

}  // namespace yolod::app::process
