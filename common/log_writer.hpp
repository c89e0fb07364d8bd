// Writes whole lines to a descriptor that may stall, and never waits for it. Lines that the descriptor does not take
// stay in a bounded buffer; lines beyond the bound are dropped and counted.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/unique_fd.hpp"

namespace yolod::common {

// The log of one process owns it, and one caller at a time uses it. The caller keeps the descriptor and its flags:
// O_NONBLOCK would affect every process that shares the open file. For a pipe or a terminal the writer opens a file
// description of its own if possible; to a socket it sends with MSG_DONTWAIT. Otherwise it writes pieces of at most
// PIPE_BUF bytes, each after poll() reports room; only another process that fills the same pipe between the two calls
// could make it wait. A file on disk always counts as ready.
class LogWriter {
 public:
  // Returns the line, with its line feed, that reports the number of dropped lines.
  using DroppedNotice = std::function<std::string(std::uint64_t dropped_count)>;

  static constexpr std::size_t kBufferBytes = 65'536;

  // Writes to `descriptor`, which the caller owns.
  LogWriter(int descriptor, DroppedNotice notice);
  // Writes to a file that the writer owns.
  LogWriter(UniqueFd file, DroppedNotice notice);

  // Writes a line, which must end with a line feed, after the waiting lines; or keeps it, or drops and counts it. If
  // the descriptor fails (EPIPE, ENOSPC), the waiting lines count as dropped.
  void write(std::string_view line);
  // Writes the waiting lines, as far as the descriptor takes them now. Returns true if no line is left.
  bool flush();

  [[nodiscard]] std::size_t waiting_bytes() const { return buffer_.size() - written_; }
  [[nodiscard]] std::uint64_t dropped_count() const { return dropped_count_; }

 private:
  enum class Room { kYes, kNo, kBroken };

  void prepare_descriptor();
  [[nodiscard]] Room room() const;
  [[nodiscard]] std::string_view next_piece() const;
  [[nodiscard]] ssize_t write_piece(std::string_view piece) const;
  void lose_waiting();
  void clear();

  UniqueFd owned_;  // a file, or the writer's own description of the pipe or terminal
  int descriptor_;
  bool is_socket_{false};
  const DroppedNotice notice_;
  std::string buffer_;              // waiting bytes start at written_: whole lines, but the first may be partly written
  std::size_t written_{0};          // bytes of buffer_ that are written
  std::uint64_t dropped_count_{0};  // dropped lines that no notice has reported yet
  std::uint64_t announced_count_{0};  // dropped lines that the notice in buffer_ reports
  bool line_torn_{false};             // the last written line is incomplete and will stay so
};

}  // namespace yolod::common
