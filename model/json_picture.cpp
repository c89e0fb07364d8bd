#include "model/json_picture.hpp"

#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <utility>

#include "common/text.hpp"
#include "model/oip_picture.hpp"
#include "model/unpack.hpp"

namespace yolod::model {
namespace {

namespace json = boost::json;
using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr std::string_view kKey = "image";

// Receives the parser's events and keeps the text of "image". If it stops the parser, `why` has the reason.
class PictureFinder {
 public:
  constexpr static std::size_t max_object_size = 1'000;
  constexpr static std::size_t max_array_size = 1'000;
  constexpr static std::size_t max_key_size = 1'000;
  constexpr static std::size_t max_string_size = static_cast<std::size_t>(-1);
  using Text = json::string_view;
  using ErrorOf = json::error_code;

  bool on_document_begin(ErrorOf& /*failure*/) { return true; }
  bool on_document_end(ErrorOf& /*failure*/) { return true; }
  bool on_object_begin(ErrorOf& failure) { return open(true, failure); }
  bool on_object_end(std::size_t /*count*/, ErrorOf& /*failure*/) { return close(); }
  bool on_array_begin(ErrorOf& failure) { return open(false, failure); }
  bool on_array_end(std::size_t /*count*/, ErrorOf& /*failure*/) { return close(); }
  bool on_key_part(Text part, std::size_t /*count*/, ErrorOf& /*failure*/) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(Text part, std::size_t /*count*/, ErrorOf& failure) {
    key_.append(part.data(), part.size());
    const auto key = std::exchange(key_, {});
    if (key != kKey) {
      return stop("the key \"" + common::printable(key, 40) + "\" is not read, options go into the query", failure);
    }
    if (std::exchange(has_key_, true)) return stop("the key \"image\" is allowed once", failure);
    return true;
  }
  bool on_string_part(Text part, std::size_t /*count*/, ErrorOf& failure) {
    text_.append(part.data(), part.size());
    return depth_ == 1 || other_value(failure);
  }
  bool on_string(Text part, std::size_t /*count*/, ErrorOf& failure) {
    if (depth_ != 1) return other_value(failure);
    text_.append(part.data(), part.size());
    found_ = true;
    return true;
  }
  bool on_number_part(Text /*part*/, ErrorOf& failure) { return other_value(failure); }
  bool on_int64(std::int64_t /*value*/, Text /*text*/, ErrorOf& failure) { return other_value(failure); }
  bool on_uint64(std::uint64_t /*value*/, Text /*text*/, ErrorOf& failure) { return other_value(failure); }
  bool on_double(double /*value*/, Text /*text*/, ErrorOf& failure) { return other_value(failure); }
  bool on_bool(bool /*value*/, ErrorOf& failure) { return other_value(failure); }
  bool on_null(ErrorOf& failure) { return other_value(failure); }
  bool on_comment_part(Text /*part*/, ErrorOf& /*failure*/) { return true; }
  bool on_comment(Text /*part*/, ErrorOf& /*failure*/) { return true; }

  // Reserves memory for the longest possible text.
  void reserve(std::size_t bytes) { text_.reserve(bytes); }
  [[nodiscard]] const std::string& why() const { return why_; }
  // Returns nullopt if there was no text.
  [[nodiscard]] std::optional<std::string_view> text() const {
    return found_ ? std::optional<std::string_view>(text_) : std::nullopt;
  }

 private:
  bool open(bool is_object, ErrorOf& failure) {
    if (depth_ != 0 || !is_object) return other_value(failure);
    ++depth_;
    return true;
  }
  bool close() {
    --depth_;
    return true;
  }
  bool other_value(ErrorOf& failure) {
    return stop("the body must be {\"image\": \"<base64>\"} without other keys", failure);
  }
  bool stop(std::string why, ErrorOf& failure) {
    why_ = std::move(why);
    failure = json::error::exception;
    return false;
  }

  int depth_{0};
  bool has_key_{false};
  bool found_{false};
  std::string key_;
  std::string text_;
  std::string why_;
};

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
  const bool is_text = input.kind == common::ContentKind::kBase64;
  if (input.kind != common::ContentKind::kJson && !is_text) return input.body;
  auto found = is_text ? picture_in_base64(input.body) : picture_in_json(input.body);
  if (!found) return found.error();
  unwrapped = *std::move(found);
  return std::span<const std::byte>(unwrapped);
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

Outcome<std::vector<std::byte>> picture_in_json(std::span<const std::byte> text) {
  json::basic_parser<PictureFinder> parser{json::parse_options{}};
  parser.handler().reserve(text.size());
  json::error_code failure;
  const auto read = parser.write_some(false, reinterpret_cast<const char*>(text.data()), text.size(), failure);
  const auto& finder = parser.handler();
  if (!finder.why().empty()) return bad(finder.why());
  if (failure) return bad("the body is not well formed, at byte " + std::to_string(read));
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::string_view rest(reinterpret_cast<const char*>(text.data()) + read, text.size() - read);
  if (rest.find_first_not_of(kBlanks) != std::string_view::npos) return bad("there is text after the object");
  if (!finder.text()) return bad("the key \"image\" is missing");
  const auto base64 = without_url(*finder.text());
  if (!base64) return bad("\"image\" must be base64, or a data: URL in base64");
  auto bytes = decode_base64(*base64);
  if (!bytes) return bad("\"image\" is not base64");
  if (bytes->empty()) return bad("\"image\" is empty");
  return *std::move(bytes);
}

}  // namespace yolod::model
