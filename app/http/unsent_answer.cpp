#include "app/http/unsent_answer.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

namespace yolod::app::http {
namespace {

namespace asio = boost::asio;

// The kernel frees 2 MiB in about 0.2 ms. A shorter piece is freed at once, because its memory is soon used again.
constexpr std::size_t kFreedAtOnceBytes = 4U << 20U;
constexpr std::uintptr_t kPageBytes = 4096;  // with larger pages, madvise() does nothing

// Gives the whole pages between the two places back to the kernel. Their content is lost.
void give_back(const char* begin, const char* end) {
  const auto first = (reinterpret_cast<std::uintptr_t>(begin) + kPageBytes - 1) / kPageBytes * kPageBytes;
  const auto last = reinterpret_cast<std::uintptr_t>(end) / kPageBytes * kPageBytes;
  if (first < last) (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace

net::Stream::Buffers first_bytes(const TextBuffer& head, const Response& response, bool head_alone,
                                 std::size_t most_bytes) {
  net::Stream::Buffers buffers{asio::buffer(head.view())};
  if (head_alone) return buffers;
  buffers[1] = asio::buffer(response.content(), most_bytes);
  std::size_t left = most_bytes - buffers[1].size();
  for (std::size_t i = 0; i < response.parts.size() && i + 2 < buffers.size(); ++i) {
    buffers[i + 2] = asio::buffer(response.parts[i], left);
    left -= buffers[i + 2].size();
  }
  return buffers;
}

asio::const_buffer UnsentAnswer::piece_at(std::size_t number) const {
  if (number == 0) return asio::buffer(head_text_.view());
  return number == 1 ? response_.content() : asio::buffer(response_.parts[number - 2]);
}

net::Stream::Buffers UnsentAnswer::next(std::size_t most_bytes) const {
  net::Stream::Buffers buffers;
  std::size_t left = most_bytes;
  for (std::size_t i = 0; i < buffers.size() && next_ + i < count_; ++i) {
    const auto piece = piece_at(next_ + i) + (i == 0 ? at_ : 0);
    const bool is_head = next_ + i == 0;
    buffers[i] = is_head ? piece : asio::buffer(piece, left);
    if (!is_head) left -= buffers[i].size();
  }
  return buffers;
}

void UnsentAnswer::sent(std::size_t bytes) {
  for (; next_ != count_; ++next_, at_ = 0) {
    const auto piece = piece_at(next_);
    const std::size_t of_piece = std::min(bytes, piece.size() - at_);
    const auto* const begin = static_cast<const char*>(piece.data()) + at_;
    at_ += of_piece;
    bytes -= of_piece;
    if (piece.size() > kFreedAtOnceBytes) give_back(begin, begin + of_piece);
    if (at_ < piece.size()) return;
    if (next_ >= 2) response_.parts[next_ - 2] = {};
  }
}

}  // namespace yolod::app::http
