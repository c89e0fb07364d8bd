// Decodes a chunked body (RFC 9112, 7.1) piece by piece, without a socket.
//
// The decoder is strict: two readers that disagree about the end of a body would see two different requests. A chunk
// size is 1 to 16 hexadecimal digits and nothing else. Every line ends with CR LF. Extensions and trailer fields
// must be well formed; the decoder checks them, counts their bytes and drops them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace yolod::app::http {

// Each object decodes one body. Only one thread may use it.
class ChunkedDecoder {
 public:
  // The extensions of all chunks of a body together may have this size.
  static constexpr std::size_t kExtensionLimitBytes = 16 * 1024;
  static constexpr std::size_t kTrailerLimitBytes = 16 * 1024;

  //   kMore -> kDone | kMalformed | kBodyTooLarge | kTrailerTooLarge
  enum class State {
    kMore,
    kDone,
    kMalformed,        // a violation of RFC 9112, or more extensions than kExtensionLimitBytes
    kBodyTooLarge,     // the size of a chunk exceeds the limit; known before its content arrives
    kTrailerTooLarge,  // the trailer fields exceed kTrailerLimitBytes
  };

  // `limit_bytes` is the most content that the body may have.
  explicit ChunkedDecoder(std::uint64_t limit_bytes) : left_bytes_(limit_bytes) {}

  struct Progress {
    std::size_t consumed_bytes;  // of the input
    std::size_t content_bytes;   // written to `out`
  };
  // Decodes from the start of `in` and writes content to the start of `out`. Stops at the end of the input, at the
  // end of the body, at an error, or when content follows and `out` is full.
  Progress decode(std::span<const char> in, std::span<std::byte> out);

  [[nodiscard]] State state() const { return state_; }
  // Returns how much content of the present chunk is missing. Instead of passing this content to decode(), the
  // caller may read it directly into its memory and report it with content_came().
  [[nodiscard]] std::uint64_t expected_content_bytes() const { return at_ == At::kContent ? chunk_bytes_ : 0; }
  // REQUIRES: bytes <= expected_content_bytes().
  void content_came(std::uint64_t bytes);

 private:
  // Says which part of the syntax the next byte belongs to.
  enum class At {
    kFirstDigit,
    kDigit,
    kBeforeSemicolon,  // only white space has followed the size
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
