#include "app/http/chunked_decoder.hpp"

#include <algorithm>
#include <cstring>

#include "app/http/characters.hpp"

namespace yolod::app::http {
namespace {

constexpr int kMostDigits = 16;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Field values and quoted strings may contain no control character except the tab.
bool is_text(char c) {
  const auto code = static_cast<unsigned char>(c);
  return code == '\t' || (code >= 0x20 && code != 0x7F);
}

}  // namespace

ChunkedDecoder::Progress ChunkedDecoder::decode(std::span<const char> in, std::span<std::byte> out) {
  Progress progress{0, 0};
  while (state_ == State::kMore && progress.consumed_bytes != in.size()) {
    if (at_ != At::kContent) {
      take(in[progress.consumed_bytes++]);
      continue;
    }
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(
        {chunk_bytes_, in.size() - progress.consumed_bytes, out.size() - progress.content_bytes}));
    if (bytes == 0) break;
    std::memcpy(out.data() + progress.content_bytes, in.data() + progress.consumed_bytes, bytes);
    progress.consumed_bytes += bytes;
    progress.content_bytes += bytes;
    content_came(bytes);
  }
  return progress;
}

void ChunkedDecoder::content_came(std::uint64_t bytes) {
  chunk_bytes_ -= bytes;
  if (chunk_bytes_ == 0) at_ = At::kContentReturn;
}

// A case that breaks out of the switch has found a byte that is not allowed at this point.
void ChunkedDecoder::take(char c) {
  switch (at_) {
    case At::kFirstDigit:
    case At::kDigit: return take_digit(c);
    case At::kBeforeSemicolon:
    case At::kBeforeName:
    case At::kName:
    case At::kAfterName:
    case At::kBeforeValue:
    case At::kToken:
    case At::kQuoted:
    case At::kQuotedPair:
    case At::kAfterValue: return take_extension(c);
    case At::kSizeLineFeed:
      if (c != '\n') break;
      return end_size_line();
    case At::kContent: break;
    case At::kContentReturn:
      if (c != '\r') break;
      at_ = At::kContentLineFeed;
      return;
    case At::kContentLineFeed:
      if (c != '\n') break;
      at_ = At::kFirstDigit;
      return;
    case At::kTrailerLine:
    case At::kTrailerName:
    case At::kTrailerValue:
    case At::kTrailerLineFeed:
    case At::kLastLineFeed: return take_trailer(c);
  }
  state_ = State::kMalformed;
}

void ChunkedDecoder::take_digit(char c) {
  const int digit = hex_digit(c);
  if (digit >= 0) {
    if (at_ == At::kFirstDigit) {
      chunk_bytes_ = 0;
      digit_count_ = 0;
    }
    at_ = At::kDigit;
    chunk_bytes_ = chunk_bytes_ * 16 + static_cast<std::uint64_t>(digit);
    if (++digit_count_ > kMostDigits) state_ = State::kMalformed;
  } else if (at_ == At::kFirstDigit) {
    state_ = State::kMalformed;
  } else if (c == '\r') {
    at_ = At::kSizeLineFeed;
  } else {
    at_ = At::kBeforeSemicolon;
    take_extension(c);
  }
}

void ChunkedDecoder::end_size_line() {
  if (chunk_bytes_ == 0) {
    at_ = At::kTrailerLine;
    return;
  }
  at_ = At::kContent;
  if (chunk_bytes_ > left_bytes_) {
    state_ = State::kBodyTooLarge;
  } else {
    left_bytes_ -= chunk_bytes_;
  }
}

// Handles the byte after an extension: it begins another extension or ends the line.
void ChunkedDecoder::end_extension(char c) {
  if (c == ';') {
    at_ = At::kBeforeName;
  } else if (c == '\r') {
    at_ = At::kSizeLineFeed;
  } else {
    state_ = State::kMalformed;
  }
}

void ChunkedDecoder::take_extension(char c) {
  if (++extension_bytes_ > kExtensionLimitBytes) {
    state_ = State::kMalformed;
    return;
  }
  switch (at_) {
    case At::kBeforeSemicolon:
      if (is_blank(c)) return;
      if (c != ';') break;
      at_ = At::kBeforeName;
      return;
    case At::kBeforeName:
      if (is_blank(c)) return;
      if (!is_token_character(c)) break;
      at_ = At::kName;
      return;
    case At::kName:
      if (is_token_character(c)) return;
      at_ = At::kAfterName;
      [[fallthrough]];
    case At::kAfterName:
      if (is_blank(c)) return;
      if (c != '=') return end_extension(c);
      at_ = At::kBeforeValue;
      return;
    case At::kBeforeValue:
      if (is_blank(c)) return;
      if (c != '"' && !is_token_character(c)) break;
      at_ = c == '"' ? At::kQuoted : At::kToken;
      return;
    case At::kToken:
      if (is_token_character(c)) return;
      at_ = At::kAfterValue;
      [[fallthrough]];
    case At::kAfterValue:
      if (is_blank(c)) return;
      return end_extension(c);
    case At::kQuoted:
      if (!is_text(c)) break;
      if (c == '"') at_ = At::kAfterValue;
      if (c == '\\') at_ = At::kQuotedPair;
      return;
    case At::kQuotedPair:
      if (!is_text(c)) break;
      at_ = At::kQuoted;
      return;
    default: break;
  }
  state_ = State::kMalformed;
}

void ChunkedDecoder::take_trailer(char c) {
  if (++trailer_bytes_ > kTrailerLimitBytes) {
    state_ = State::kTrailerTooLarge;
    return;
  }
  switch (at_) {
    case At::kTrailerLine:
      if (c != '\r' && !is_token_character(c)) break;
      at_ = c == '\r' ? At::kLastLineFeed : At::kTrailerName;
      return;
    case At::kTrailerName:
      if (is_token_character(c)) return;
      if (c != ':') break;
      at_ = At::kTrailerValue;
      return;
    case At::kTrailerValue:
      if (is_text(c)) return;
      if (c != '\r') break;
      at_ = At::kTrailerLineFeed;
      return;
    case At::kTrailerLineFeed:
      if (c != '\n') break;
      at_ = At::kTrailerLine;
      return;
    case At::kLastLineFeed:
      if (c != '\n') break;
      state_ = State::kDone;
      return;
    default: break;
  }
  state_ = State::kMalformed;
}

}  // namespace yolod::app::http
