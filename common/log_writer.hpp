// Writes whole lines to a descriptor that may stall, without ever waiting for it: what does not go out is kept in a
// bounded buffer, and lines beyond that are dropped and counted.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/unique_fd.hpp"

namespace yolod::common {

// Owned by the log of one process; one caller at a time. The descriptor that it is given stays its owner's, and keeps
// its flags: O_NONBLOCK would be set for every process that shares the description. For a pipe or terminal it opens a
// description of its own instead, where that is possible; to a socket it sends with MSG_DONTWAIT. Elsewhere it writes
// pieces of at most PIPE_BUF, each after poll() says that there is room: only a second process that fills the same pipe
// between the two calls could still make it wait. A file on disk is always taken as ready.
class LogWriter {
 public:
  // The line that says how many were dropped, its line feed included.
  using DroppedNotice = std::function<std::string(std::uint64_t dropped_count)>;

  static constexpr std::size_t kBufferBytes = 65'536;

  // Writes to `descriptor` (not owned).
  LogWriter(int descriptor, DroppedNotice notice);
  // Writes to a file of its own.
  LogWriter(UniqueFd file, DroppedNotice notice);

  // Writes a line, which ends in a line feed, after all that waits; or keeps it, or drops and counts it. A descriptor
  // that fails (EPIPE, ENOSPC) loses what waits: those lines count as dropped.
  void write(std::string_view line);
  // Writes what waits, as far as the descriptor takes it now. True if no line is left.
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

  UniqueFd owned_;  // a file, or our own description of the pipe or terminal
  int descriptor_;
  bool is_socket_{false};
  const DroppedNotice notice_;
  std::string buffer_;              // from written_ on: what waits, whole lines except that the first may be partly out
  std::size_t written_{0};          // bytes of buffer_ that are out
  std::uint64_t dropped_count_{0};  // lines that no notice has told of yet
  std::uint64_t announced_count_{0};  // lines that the notice in buffer_ tells of
  bool line_torn_{false};             // the last line out is not whole and never will be
};

}  // namespace yolod::common
