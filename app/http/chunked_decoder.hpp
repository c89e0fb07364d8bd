// Decodes a chunked body (RFC 9112, 7.1) piece by piece. No sockets.
//
// The decoder is strict, because two readers that disagree about where a body ends see two different requests: a chunk
// size is 1 to 16 hexadecimal digits and nothing else, every line ends with CR LF, and extensions and trailer fields
// must be well formed. Extensions and trailer fields are checked, counted and dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace yolod::app::http {

// One thread. One object decodes one body.
class ChunkedDecoder {
 public:
  // Of all chunks of a body together.
  static constexpr std::size_t kExtensionLimitBytes = 16 * 1024;
  static constexpr std::size_t kTrailerLimitBytes = 16 * 1024;

  //   kMore -> kDone | kMalformed | kBodyTooLarge | kTrailerTooLarge
  enum class State {
    kMore,
    kDone,
    kMalformed,        // not RFC 9112, or more extensions than kExtensionLimitBytes
    kBodyTooLarge,     // told by the size of the chunk that goes over the limit, before its content
    kTrailerTooLarge,  // more than kTrailerLimitBytes
  };

  // `limit_bytes` is the most content that the body may have.
  explicit ChunkedDecoder(std::uint64_t limit_bytes) : left_bytes_(limit_bytes) {}

  struct Progress {
    std::size_t consumed_bytes;  // of the input
    std::size_t content_bytes;   // written to `out`
  };
  // Decodes from the front of `in`, and writes content to the front of `out`. Stops at the end of the input, at the end
  // of the body, at an error, or where content is to come and `out` is full.
  Progress decode(std::span<const char> in, std::span<std::byte> out);

  [[nodiscard]] State state() const { return state_; }
  // How much content of the present chunk is still to come. The caller may read so much straight to its place, instead
  // of handing it to decode(), if it says so with content_came().
  [[nodiscard]] std::uint64_t expected_content_bytes() const { return at_ == At::kContent ? chunk_bytes_ : 0; }
  // REQUIRES: bytes <= expected_content_bytes().
  void content_came(std::uint64_t bytes);

 private:
  // What the next byte belongs to.
  enum class At {
    kFirstDigit,
    kDigit,
    kBeforeSemicolon,  // only white space has come since the size
    kBeforeName,       // of an extension
    kName,
    kAfterName,
    kBeforeValue,
    kToken,
    kQuoted,
    kQuotedPair,
    kAfterValue,
    kSizeLineFeed,
    kContent,
    kContentReturn,
    kContentLineFeed,
    kTrailerLine,
    kTrailerName,
    kTrailerValue,
    kTrailerLineFeed,
    kLastLineFeed,
  };

  void take(char c);
  void take_extension(char c);
  void take_trailer(char c);
  void take_digit(char c);
  void end_size_line();
  void end_extension(char c);

  State state_{State::kMore};
  At at_{At::kFirstDigit};
  int digit_count_{0};
  std::uint64_t chunk_bytes_{0};  // of the present chunk, still to come
  std::uint64_t left_bytes_;      // that the body may still have
  std::size_t extension_bytes_{0};
  std::size_t trailer_bytes_{0};
};

}  // namespace yolod::app::http
