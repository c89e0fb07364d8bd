#include "app/accounts/protocol/names.hpp"

#include <algorithm>

#include "app/accounts/protocol/messages.hpp"
#include "common/text.hpp"

namespace yolod::app::accounts::protocol {
namespace {

bool is_small_letter_or_digit(char character) {
  return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
}

}  // namespace

std::string canonical_name(std::string_view text) {
  constexpr std::string_view kAlso = "._-+@";
  if (text.empty() || text.size() > kMaxNameBytes) return {};
  std::string name(text);
  for (char& character : name) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  if (!is_small_letter_or_digit(name.front())) return {};
  const bool allowed = std::all_of(name.begin(), name.end(), [kAlso](char character) {
    return is_small_letter_or_digit(character) || kAlso.find(character) != std::string_view::npos;
  });
  return allowed ? name : std::string();
}

bool is_key_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && common::printable(text) == text;
}

}  // namespace yolod::app::accounts::protocol
