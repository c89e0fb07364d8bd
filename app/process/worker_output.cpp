#include "app/process/worker_output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "common/forwarded_line.hpp"
#include "common/log.hpp"

namespace yolod::app::process {

namespace asio = boost::asio;
using boost::system::error_code;
using common::Clock;
using common::Outcome;
using common::UniqueFd;

void LineSplitter::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto line_feed = bytes.find('\n');
    const auto piece = bytes.substr(0, std::min(line_feed, kLongestLine - begun_.size()));
    begun_.append(piece);
    bytes.remove_prefix(piece.size());
    const bool ends = !bytes.empty() && bytes.front() == '\n';
    if (ends) bytes.remove_prefix(1);
    if (ends || begun_.size() == kLongestLine) {
      on_line_(begun_);
      begun_.clear();
    }
  }
}

void LineSplitter::end() {
  if (!begun_.empty()) on_line_(begun_);
  begun_.clear();
}

bool LineAllowance::take(Clock::time_point now) {
  const double elapsed = std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  left_ = std::min(kBurst, left_ + std::max(0.0, elapsed) * kPerSecond);
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

Outcome<std::unique_ptr<WorkerOutput>> WorkerOutput::open(asio::io_context& io, std::string subject) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return common::last_system_error("a pipe for the output of workers");
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  // The two ends of a pipe are separate open files. O_NONBLOCK on the read end leaves the workers' end blocking, as
  // libraries expect.
  const int flags = fcntl(read_end.get(), F_GETFL);
  if (fcntl(read_end.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return common::last_system_error("a pipe for the output of workers");
  }
  std::unique_ptr<WorkerOutput> output(
      new WorkerOutput(io, std::move(subject), std::move(read_end), std::move(write_end)));
  output->await();
  return output;
}

WorkerOutput::WorkerOutput(asio::io_context& io, std::string subject, UniqueFd read_end, UniqueFd write_end)
    : subject_(std::move(subject)),
      read_end_(io, read_end.release()),
      pause_(io),
      write_end_(std::move(write_end)),
      lines_([this](std::string_view line) { log(line); }) {}

WorkerOutput::~WorkerOutput() {
  read_now();
  lines_.end();
  say_what_was_dropped();
}

void WorkerOutput::await() {
  read_end_.async_wait(asio::posix::stream_descriptor::wait_read, lifeline_.guard([this](error_code failure) {
    if (failure) return;
    read_some(Clock::now(), kBytesPerTurn);
    if (read_in_period_ < kBytesPerPeriod) {
      await();
      return;
    }
    pause_.expires_at(period_began_ + kPeriod);
    pause_.async_wait(lifeline_.guard([this](error_code cancelled) {
      if (!cancelled) await();
    }));
  }));
}

void WorkerOutput::read_now() { read_some(Clock::now(), kPipeBytes); }

void WorkerOutput::read_some(Clock::time_point now, std::size_t most) {
  turn_began_ = now;
  if (now - period_began_ >= kPeriod) {
    period_began_ = now;
    read_in_period_ = 0;
    say_what_was_dropped();
  }
  most = std::min(most, kBytesPerPeriod - std::min(kBytesPerPeriod, read_in_period_));
  std::array<char, kBytesPerTurn> piece;
  while (most != 0) {
    const ssize_t bytes = read(read_end_.native_handle(), piece.data(), std::min(piece.size(), most));
    if (bytes <= 0) return;
    read_in_period_ += static_cast<std::size_t>(bytes);
    most -= static_cast<std::size_t>(bytes);
    lines_.feed({piece.data(), static_cast<std::size_t>(bytes)});
  }
}

void WorkerOutput::log(std::string_view line) {
  if (!allowance_.take(turn_began_)) {
    ++dropped_count_;
    return;
  }
  const auto said = common::parse_forwarded_line(line);
  if (!common::log_enabled(said.level)) return;
  if (said.pid != 0) {
    common::log_message(said.level, fmt::format("{}, said by process {}: {}", subject_, said.pid, said.message));
  } else {
    common::log_message(said.level, fmt::format("{}, printed by a worker: {}", subject_, said.message));
  }
}

void WorkerOutput::say_what_was_dropped() {
  if (dropped_count_ == 0 || !allowance_.take(turn_began_)) return;
  common::log_warning("{}: its workers print too much; {} lines were dropped", subject_,
                      std::exchange(dropped_count_, 0));
}

}  // namespace yolod::app::process
