#include "common/log_writer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace yolod::common {

LogWriter::LogWriter(int descriptor, DroppedNotice notice) : descriptor_(descriptor), notice_(std::move(notice)) {
  prepare_descriptor();
}

LogWriter::LogWriter(UniqueFd file, DroppedNotice notice)
    : owned_(std::move(file)), descriptor_(owned_.get()), notice_(std::move(notice)) {}

void LogWriter::prepare_descriptor() {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return;
  is_socket_ = S_ISSOCK(status.st_mode);
  if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) return;
  const std::string own_name = "/proc/self/fd/" + std::to_string(descriptor_);
  UniqueFd reopened(::open(own_name.c_str(), O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!reopened.valid()) return;  // another user owns the file, or /proc is missing: rely on poll() alone
  owned_ = std::move(reopened);
  descriptor_ = owned_.get();
}

LogWriter::Room LogWriter::room() const {
  pollfd poll_entry{descriptor_, POLLOUT, 0};
  int ready = 0;
  do {
    ready = ::poll(&poll_entry, 1, 0);
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) return Room::kNo;
  // poll() reports a reader that has gone, so this check avoids most SIGPIPE signals.
  if ((poll_entry.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return Room::kBroken;
  return (poll_entry.revents & POLLOUT) != 0 ? Room::kYes : Room::kNo;
}

// Returns at most PIPE_BUF bytes, which a pipe takes whole or not at all. It returns whole lines if one fits, so that
// lines of several processes do not mix.
std::string_view LogWriter::next_piece() const {
  const std::string_view piece = std::string_view(buffer_).substr(written_, PIPE_BUF);
  const std::size_t last_line_end = piece.rfind('\n');
  return last_line_end == std::string_view::npos ? piece : piece.substr(0, last_line_end + 1);
}

ssize_t LogWriter::write_piece(std::string_view piece) const {
  ssize_t count = 0;
  do {
    count = is_socket_ ? ::send(descriptor_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                       : ::write(descriptor_, piece.data(), piece.size());
  } while (count < 0 && errno == EINTR);
  return count;
}

void LogWriter::lose_waiting() {
  const auto waiting_begin = buffer_.begin() + static_cast<std::ptrdiff_t>(written_);
  dropped_count_ += static_cast<std::uint64_t>(std::count(waiting_begin, buffer_.end(), '\n'));
  // the notice that was lost is not a line of the caller
  if (announced_count_ > 0) dropped_count_ += announced_count_ - 1;
  line_torn_ = line_torn_ || (written_ > 0 && buffer_[written_ - 1] != '\n');
  clear();
}

void LogWriter::clear() {
  buffer_.clear();
  written_ = 0;
  announced_count_ = 0;
}

bool LogWriter::flush() {
  for (;;) {
    if (waiting_bytes() == 0) {
      clear();
      if (dropped_count_ == 0 || room() != Room::kYes) return true;
      announced_count_ = std::exchange(dropped_count_, 0);
      buffer_ = (std::exchange(line_torn_, false) ? "\n" : "") + notice_(announced_count_);
    }
    switch (room()) {
      case Room::kNo: return false;
      case Room::kBroken: lose_waiting(); return true;
      case Room::kYes: break;
    }
    const ssize_t count = write_piece(next_piece());
    if (count >= 0) {
      written_ += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return false;
    } else {
      lose_waiting();
      return true;
    }
  }
}

void LogWriter::write(std::string_view line) {
  flush();
  if (waiting_bytes() + line.size() > kBufferBytes) {
    ++dropped_count_;
    return;
  }
  // Once lines are missing, later lines wait for the notice, so that the notice stands where the lines are missing.
  if (dropped_count_ > 0 && waiting_bytes() > 0) {
    ++dropped_count_;
    return;
  }
  if (written_ > 0) {
    buffer_.erase(0, written_);
    written_ = 0;
  }
  buffer_ += line;
  flush();
}

}  // namespace yolod::common
