// What the processes of one model write to stdout and stderr: log lines of ours, and whatever libraries print. They
// write to a pipe, and the front-end logs each line as the model's, so that no byte of theirs can look like a line of
// the front-end. A process that writes without end slows down itself: the front-end reads and logs at a bounded pace.
//
// Front-end only, its one thread.
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

// Cuts bytes into lines. Pure.
class LineSplitter {
 public:
  static constexpr std::size_t kLongestLine = 8192;

  explicit LineSplitter(std::function<void(std::string_view line)> on_line) : on_line_(std::move(on_line)) {}

  // Calls on_line for each line that is whole, without its line feed; a longer one comes in pieces.
  void feed(std::string_view bytes);
  // Calls on_line for what has no line feed yet.
  void end();

 private:
  std::function<void(std::string_view)> on_line_;
  std::string begun_;
};

// How many lines may be logged: so many at once, and so many a second in the long run. Pure.
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
  // `model` is named in each line. Errors are kSystem.
  [[nodiscard]] static common::Outcome<std::unique_ptr<WorkerOutput>> open(boost::asio::io_context& io,
                                                                           std::string model);
  WorkerOutput(const WorkerOutput&) = delete;
  WorkerOutput& operator=(const WorkerOutput&) = delete;
  ~WorkerOutput();

  // For the processes' descriptors 1 and 2; stays this object's.
  [[nodiscard]] int write_end() const { return write_end_.get(); }
  // Logs what has been written so far: before the death of a process is told, for its last words.
  void read_now();

  // Bytes that are read at most in one turn of the event loop, of what a pipe can hold, and in one period.
  static constexpr std::size_t kBytesPerTurn = 16U << 10U;
  static constexpr std::size_t kPipeBytes = 64U << 10U;
  static constexpr std::size_t kBytesPerPeriod = 256U << 10U;
  static constexpr std::chrono::milliseconds kPeriod{100};

 private:
  WorkerOutput(boost::asio::io_context& io, std::string model, common::UniqueFd read_end, common::UniqueFd write_end);
  void await();
  void read_some(common::Clock::time_point now, std::size_t most);
  void log(std::string_view line);
  void say_what_was_dropped();

  const std::string model_;
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
