#include "app/accounts/password_rules.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "app/accounts/common_passwords.hpp"
#include "common/text.hpp"

namespace yolod::app::accounts {
namespace {

constexpr std::size_t kFewestCharacters = 12;
constexpr std::size_t kMostCharacters = 128;

// Changes only ASCII letters.
std::string in_small_letters(std::string_view text) {
  std::string small(text);
  for (char& character : small) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  return small;
}

std::size_t character_count(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(
      utf8.begin(), utf8.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

// Checks whether a short piece (at most four bytes or a third of the length) repeats until the end.
bool repeats_itself(std::string_view text) {
  const std::size_t longest = std::max<std::size_t>(4, text.size() / 3);
  for (std::size_t piece = 1; piece <= longest && piece < text.size(); ++piece) {
    if (text.substr(piece) == text.substr(0, text.size() - piece)) return true;
  }
  return false;
}

// Checks whether the text follows rows of the keyboard, the digits or the alphabet, in pieces of at least four.
bool is_a_run(std::string_view text) {
  constexpr std::array<std::string_view, 7> kRows{"012345678901234567890123456789",
                                                  "abcdefghijklmnopqrstuvwxyz",
                                                  "qwertyuiop",
                                                  "asdfghjkl",
                                                  "zxcvbnm",
                                                  "qwertzuiop",
                                                  "azertyuiop"};
  constexpr std::size_t kShortestPiece = 4;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t longest = 0;
    for (const std::string_view row : kRows) {
      const std::string backwards(row.rbegin(), row.rend());
      for (const std::string_view line : {row, std::string_view(backwards)}) {
        std::size_t length = text.size() - at;
        while (length > longest && line.find(text.substr(at, length)) == std::string_view::npos) --length;
        longest = std::max(longest, length);
      }
    }
    if (longest < kShortestPiece) return false;
    at += longest;
  }
  return true;
}

// Checks whether only digits and signs remain after the name is removed.
bool consists_of_name(std::string_view password, std::string_view name) {
  constexpr std::size_t kShortestName = 3;
  if (name.size() < kShortestName) return false;
  std::string rest(password);
  bool found = false;
  for (auto at = rest.find(name); at != std::string::npos; at = rest.find(name)) {
    rest.erase(at, name.size());
    found = true;
  }
  return found && std::none_of(rest.begin(), rest.end(), [](char left) {
           return (left >= 'a' && left <= 'z') || static_cast<unsigned char>(left) >= 0x80U;
         });
}

void wipe(std::string& text) { sodium_memzero(text.data(), text.size()); }

}  // namespace

std::string what_is_wrong_with_password(std::string_view password, std::string_view name) {
  if (!common::is_utf8(password)) return "the password is not UTF-8";
  const std::size_t characters = character_count(password);
  if (characters < kFewestCharacters) return "the password is too short: 12 to 128 characters are allowed";
  if (characters > kMostCharacters) return "the password is too long: 12 to 128 characters are allowed";
  std::string small = in_small_letters(password);
  const bool weak = is_common_password(small) || repeats_itself(small) || is_a_run(small);
  const bool of_name = consists_of_name(small, name);
  wipe(small);
  if (weak) return "the password is one of those that are tried first: choose another";
  if (of_name) return "the password consists of the name: choose another";
  return {};
}

}  // namespace yolod::app::accounts
