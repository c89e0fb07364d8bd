#include "app/accounts/protocol/tokens.hpp"

#include <sodium.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <span>

namespace yolod::app::accounts::protocol {
namespace {

constexpr std::string_view kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kPasswordCharacters = 20;

void fill_random(std::span<char> text) {
  for (char& character : text) character = kBase62[randombytes_uniform(kBase62.size())];
}

template <std::size_t kCount>
Secret take(std::array<char, kCount>& text) {
  Secret made(std::string_view(text.data(), text.size()));
  sodium_memzero(text.data(), text.size());
  return made;
}

Secret make_checked(std::string_view prefix) {
  std::array<char, kKeyBytes> text{};
  prefix.copy(text.data(), prefix.size());
  fill_random(std::span(text).subspan(prefix.size(), kRandomCharacters));
  const auto check = check_characters({text.data() + prefix.size(), kRandomCharacters});
  std::copy(check.begin(), check.end(), text.end() - kCheckCharacters);
  return take(text);
}

bool is_checked(std::string_view prefix, std::string_view text) {
  if (text.size() != kKeyBytes || !text.starts_with(prefix)) return false;
  const auto random = text.substr(prefix.size(), kRandomCharacters);
  if (random.find_first_not_of(kBase62) != std::string_view::npos) return false;
  const auto check = check_characters(random);
  return text.ends_with(std::string_view(check.data(), check.size()));
}

}  // namespace

std::array<char, kCheckCharacters> check_characters(std::string_view text) {
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  std::array<char, kCheckCharacters> digits{};
  std::uint32_t rest = crc.checksum();
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    *digit = kBase62[rest % kBase62.size()];
    rest /= static_cast<std::uint32_t>(kBase62.size());
  }
  return digits;
}

Secret make_api_key() { return make_checked(kKeyPrefix); }
Secret make_invite() { return make_checked(kInvitePrefix); }

Secret make_password() {
  std::array<char, kPasswordCharacters> text{};
  fill_random(text);
  return take(text);
}

Secret make_session_token() {
  std::array<unsigned char, 32> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  std::array<char, kSessionBytes + 1> text{};  // with the terminator that libsodium writes
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  sodium_memzero(bytes.data(), bytes.size());
  Secret made(std::string_view(text.data(), kSessionBytes));
  sodium_memzero(text.data(), text.size());
  return made;
}

bool is_api_key(std::string_view text) { return is_checked(kKeyPrefix, text); }
bool is_invite(std::string_view text) { return is_checked(kInvitePrefix, text); }

bool is_session_token(std::string_view text) {
  return text.size() == kSessionBytes && std::all_of(text.begin(), text.end(), [](char character) {
           return character == '-' || character == '_' || kBase62.find(character) != std::string_view::npos;
         });
}

}  // namespace yolod::app::accounts::protocol
