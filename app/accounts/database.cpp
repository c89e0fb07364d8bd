#include "app/accounts/database.hpp"

#include <algorithm>

namespace yolod::app::accounts {

Value value_of(const protocol::Digest& digest) { return std::vector<std::uint8_t>(digest.begin(), digest.end()); }

std::int64_t number_in(const Row& row, std::size_t column) {
  const auto* const number = column < row.size() ? std::get_if<std::int64_t>(&row[column]) : nullptr;
  return number == nullptr ? 0 : *number;
}

std::string text_in(const Row& row, std::size_t column) {
  const auto* const text = column < row.size() ? std::get_if<std::string>(&row[column]) : nullptr;
  return text == nullptr ? std::string() : *text;
}

protocol::Digest digest_in(const Row& row, std::size_t column) {
  protocol::Digest digest{};
  const auto* const bytes = column < row.size() ? std::get_if<std::vector<std::uint8_t>>(&row[column]) : nullptr;
  if (bytes != nullptr && bytes->size() == digest.size()) std::copy(bytes->begin(), bytes->end(), digest.begin());
  return digest;
}

}  // namespace yolod::app::accounts
