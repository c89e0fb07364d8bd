// Writes and reads frames of RFC 6455 byte by byte, so that tests can send wrong ones too. Any thread may call these
// functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace yolod::tests {

struct Frame {
  static constexpr unsigned kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

  unsigned opcode{kBinary};
  std::string payload{};
  bool final{true};
  bool masked{true};
  unsigned reserved{0};                   // the three bits after FIN
  std::optional<std::uint64_t> length{};  // the length that the head claims, if it is not the payload's
  unsigned least_length_bytes{0};         // 2 or 8: uses a longer length than needed

  friend bool operator==(const Frame& a, const Frame& b) {
    return a.opcode == b.opcode && a.payload == b.payload && a.final == b.final;
  }
};

[[nodiscard]] inline std::string bytes_of(const Frame& frame) {
  std::string bytes;
  const auto add = [&bytes](std::uint64_t value, unsigned count) {
    while (count-- != 0) bytes += static_cast<char>(value >> (8 * count));
  };
  const std::uint64_t length = frame.length.value_or(frame.payload.size());
  add((frame.final ? 0x80U : 0U) | frame.reserved << 4U | frame.opcode, 1);
  const unsigned mask_bit = frame.masked ? 0x80U : 0U;
  if (length > 0xFFFF || frame.least_length_bytes == 8) {
    add(mask_bit | 127U, 1);
    add(length, 8);
  } else if (length > 125 || frame.least_length_bytes == 2) {
    add(mask_bit | 126U, 1);
    add(length, 2);
  } else {
    add(mask_bit | length, 1);
  }
  constexpr std::string_view kMask = "\x12\x34\x56\x78";
  if (frame.masked) bytes += kMask;
  for (std::size_t i = 0; i < frame.payload.size(); ++i) {
    bytes += static_cast<char>(frame.masked ? frame.payload[i] ^ kMask[i % kMask.size()] : frame.payload[i]);
  }
  return bytes;
}

// Removes the whole frame at the beginning of `bytes`, which a server sent, and returns it.
[[nodiscard]] inline std::optional<Frame> take_frame(std::string& bytes) {
  const auto byte = [&bytes](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
  if (bytes.size() < 2) return std::nullopt;
  std::uint64_t length = byte(1) & 0x7FU;
  std::size_t head = 2;
  const unsigned length_bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (length_bytes != 0) {
    if (bytes.size() < head + length_bytes) return std::nullopt;
    length = 0;
    for (unsigned i = 0; i < length_bytes; ++i) length = length << 8U | byte(head + i);
    head += length_bytes;
  }
  if (bytes.size() < head + length) return std::nullopt;
  Frame frame;
  frame.opcode = byte(0) & 0x0FU;
  frame.final = (byte(0) & 0x80U) != 0;
  frame.reserved = byte(0) >> 4U & 7U;
  frame.masked = (byte(1) & 0x80U) != 0;
  frame.payload = bytes.substr(head, length);
  bytes.erase(0, head + length);
  return frame;
}

[[nodiscard]] inline std::vector<Frame> take_frames(std::string& bytes) {
  std::vector<Frame> frames;
  while (auto frame = take_frame(bytes)) frames.push_back(*std::move(frame));
  return frames;
}

[[nodiscard]] inline std::string text_frame(std::string payload) {
  return bytes_of({.opcode = Frame::kText, .payload = std::move(payload)});
}
[[nodiscard]] inline std::string binary_frame(std::string payload) {
  return bytes_of({.opcode = Frame::kBinary, .payload = std::move(payload)});
}
// Returns a close frame with this code. 0: without a code.
[[nodiscard]] inline std::string close_frame(unsigned code, const std::string& reason = {}) {
  std::string payload;
  if (code != 0) payload = {static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)};
  return bytes_of({.opcode = Frame::kClose, .payload = payload + reason});
}
// Returns the code of a close frame, or 1005 if it has none.
[[nodiscard]] inline unsigned close_code(const Frame& frame) {
  constexpr unsigned kNone = 1005;
  if (frame.payload.size() < 2) return kNone;
  return static_cast<std::uint8_t>(frame.payload[0]) << 8U | static_cast<std::uint8_t>(frame.payload[1]);
}

// Returns the request that begins a WebSocket. `fields` are more header lines.
[[nodiscard]] inline std::string upgrade_request(std::string_view target, std::string_view fields = {}) {
  return "GET " + std::string(target) +
         " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         std::string(fields) + "\r\n";
}
// The Sec-WebSocket-Accept of the answer to that request.
inline constexpr std::string_view kUpgradeAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

}  // namespace yolod::tests
