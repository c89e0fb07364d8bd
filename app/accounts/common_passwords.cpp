#include "app/accounts/common_passwords.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <string>

namespace yolod::app::accounts {
namespace {

// The words have no digits, signs or blanks, like the result of letters(). A password of only these words is weak.
constexpr std::array<std::string_view, 73> kWords{
    "password",   "passwort", "passphrase", "motdepasse", "contrasena", "administrator", "admin",
    "adminadmin", "root",     "rootroot",   "letmein",    "welcome",    "welcomehome",   "changeme",
    "changethis", "default",  "secret",     "topsecret",  "qwerty",     "qwertyuiop",    "qwertz",
    "azerty",     "asdf",     "zxcvbnm",    "iloveyou",   "ilovey",     "dragon",        "monkey",
    "football",   "baseball", "basketball", "superman",   "batman",     "sunshine",      "princess",
    "master",     "shadow",   "michael",    "jennifer",   "charlie",    "jordan",        "liverpool",
    "arsenal",    "chelsea",  "barcelona",  "starwars",   "pokemon",    "minecraft",     "whatever",
    "trustno",    "computer", "internet",   "server",     "database",   "postgres",      "postgresql",
    "yolod",      "yolo",     "test",       "testing",    "tester",     "guest",         "user",
    "username",   "login",    "loginlogin", "access",     "opensesame", "letmeinplease", "correcthorsebatterystaple",
    "abc",        "abcdef",   "temporary"};

// Returns the letter that a digit or sign usually replaces.
char letter_of(char character) {
  switch (character) {
    case '0': return 'o';
    case '1':
    case '!': return 'i';
    case '3': return 'e';
    case '4':
    case '@': return 'a';
    case '5':
    case '$': return 's';
    case '7': return 't';
    default: return character;
  }
}

bool is_letter(char character) { return (character >= 'a' && character <= 'z') || (character & 0x80) != 0; }

bool is_word(std::string_view letters) {
  return std::any_of(kWords.begin(), kWords.end(), [letters](std::string_view word) { return word == letters; });
}

// Returns whether `letters` is a word of the list, or two words of the list in a row.
bool consists_of_words(std::string_view letters) {
  if (letters.empty() || is_word(letters)) return true;
  for (std::size_t first = 3; first + 3 <= letters.size(); ++first) {
    if (is_word(letters.substr(0, first)) && is_word(letters.substr(first))) return true;
  }
  return false;
}

// Returns only the letters. It either drops digits and signs or reads them as letters.
std::string letters(std::string_view password, bool read_digits) {
  // Digits and signs at either end are an appendage in both readings.
  const auto first = std::find_if(password.begin(), password.end(), is_letter);
  const auto last = std::find_if(password.rbegin(), password.rend(), is_letter).base();
  std::string found;
  found.reserve(password.size());
  for (auto at = first; at < last; ++at) {
    const char character = read_digits ? letter_of(*at) : *at;
    if (is_letter(character)) found += character;
  }
  return found;
}

}  // namespace

bool is_common_password(std::string_view password) {
  constexpr std::size_t kMostDigits = 6;  // as many digits as a date has
  const auto others = static_cast<std::size_t>(
      std::count_if(password.begin(), password.end(), [](char character) { return !is_letter(character); }));
  bool weak = false;
  for (const bool read_digits : {false, true}) {
    std::string found = letters(password, read_digits);
    // A number as long as a telephone's, with a word beside it, is more than the word.
    weak = weak || (consists_of_words(found) && (others <= kMostDigits || found.size() > others));
    sodium_memzero(found.data(), found.size());
  }
  return weak;
}

}  // namespace yolod::app::accounts
