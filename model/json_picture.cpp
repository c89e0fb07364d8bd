#include "model/json_picture.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <utility>

#include "model/oip_picture.hpp"
#include "model/unpack.hpp"

namespace yolod::model {
namespace {

namespace json = boost::json;
using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::uint8_t kNoDigit = 0xFF;
constexpr std::uint8_t kBlank = 0xFE;

constexpr std::array<std::uint8_t, 256> make_digits() {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  std::uint8_t value = 0;
  for (char c = 'A'; c <= 'Z'; ++c) digits[static_cast<unsigned char>(c)] = value++;
  for (char c = 'a'; c <= 'z'; ++c) digits[static_cast<unsigned char>(c)] = value++;
  for (char c = '0'; c <= '9'; ++c) digits[static_cast<unsigned char>(c)] = value++;
  digits['+'] = digits['-'] = 62;
  digits['/'] = digits['_'] = 63;
  for (const unsigned char blank : {' ', '\t', '\r', '\n'}) digits[blank] = kBlank;
  return digits;
}
constexpr auto kDigits = make_digits();

// Returns the part of a data: URL after the comma, or the whole text if it is not a data: URL. Returns nullopt for a
// URL that is not in base64.
std::optional<std::string_view> without_url(std::string_view text) {
  constexpr std::size_t kLongestHead = 1'000;
  if (!text.starts_with("data:")) return text;
  const auto comma = text.substr(0, kLongestHead).find(',');
  if (comma == std::string_view::npos || !text.substr(0, comma).ends_with(";base64")) return std::nullopt;
  return text.substr(comma + 1);
}

Error bad(std::string_view what) { return {ErrorCode::kBadRequest, "JSON: " + std::string(what)}; }

}  // namespace

std::optional<std::vector<std::byte>> decode_base64(std::string_view text) {
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t bits = 0;
  unsigned bit_count = 0;
  std::size_t digit_count = 0;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const std::uint8_t digit = kDigits[static_cast<unsigned char>(text[i])];
    if (digit == kBlank) continue;
    if (digit == kNoDigit) break;
    ++digit_count;
    bits = (bits << 6U | digit) & 0xFFFFU;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    bytes.push_back(static_cast<std::byte>(bits >> bit_count & 0xFFU));
  }
  // Refuse a last digit that does not complete a byte, unused bits that are not zero, and padding that does not
  // complete a group of four.
  if (digit_count % 4 == 1 || (bits & ((1U << bit_count) - 1)) != 0) return std::nullopt;
  std::size_t padding = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '=') {
      ++padding;
    } else if (kDigits[static_cast<unsigned char>(text[i])] != kBlank) {
      return std::nullopt;
    }
  }
  if (padding != 0 && (padding > 2 || (digit_count + padding) % 4 != 0)) return std::nullopt;
  return bytes;
}

Outcome<std::span<const std::byte>> picture_of(const Input& input, std::vector<std::byte>& unwrapped) {
  if (const auto& packing = input.options.packing) {
    auto body = unpack(input.body, packing->limit_bytes);
    if (!body) return body.error();
    if (input.kind == common::ContentKind::kOip) body = picture_in_oip(*body, packing->part);
    if (!body) return body.error();
    unwrapped = *std::move(body);
    return std::span<const std::byte>(unwrapped);
  }
  if (input.kind != common::ContentKind::kBase64) return input.body;
  auto found = picture_in_base64(input.body);
  if (!found) return found.error();
  unwrapped = *std::move(found);
  return std::span<const std::byte>(unwrapped);
}

bool has_planes(const Input& input) {
  return input.kind == common::ContentKind::kPlanes || input.kind == common::ContentKind::kOipPlanes;
}

std::uint64_t unpacked_bytes(const Input& input, std::uint64_t most_bytes) {
  const auto& packing = input.options.packing;
  if (!packing) return 0;
  const bool has_only_planes = input.kind == common::ContentKind::kPlanes;
  return has_only_planes ? std::min(packing->limit_bytes, most_bytes) : packing->limit_bytes;
}

Outcome<std::span<const std::byte>> planes_of(const Input& input, std::vector<std::byte>& unpacked,
                                              std::uint64_t most_bytes) {
  const auto& packing = input.options.packing;
  if (!packing) return input.body;
  auto body = unpack(input.body, unpacked_bytes(input, most_bytes));
  if (!body) return body.error();
  unpacked = *std::move(body);
  if (input.kind == common::ContentKind::kPlanes) return std::span<const std::byte>(unpacked);
  return planes_in_oip(unpacked, packing->part);
}

Outcome<std::vector<std::byte>> picture_in_base64(std::span<const std::byte> text) {
  std::string_view base64(reinterpret_cast<const char*>(text.data()), text.size());
  json::value unescaped;
  if (base64.find('\\') != std::string_view::npos) {
    json::error_code failure;
    unescaped = json::parse('"' + std::string(base64) + '"', failure);
    if (failure || !unescaped.is_string()) return bad("a text is not well formed");
    base64 = {unescaped.get_string().data(), unescaped.get_string().size()};
  }
  const auto without = without_url(base64);
  auto bytes = without ? decode_base64(*without) : std::nullopt;
  if (!bytes) return bad("a picture is not base64");
  if (bytes->empty()) return bad("a picture is empty");
  return *std::move(bytes);
}

}  // namespace yolod::model
