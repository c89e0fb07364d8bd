// The few forms of Markdown that the printed pages have. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace yolod::app::reference {

// REQUIRES: `text` has no backtick in it.
[[nodiscard]] inline std::string code(std::string_view text) { return '`' + std::string(text) + '`'; }

// Makes a line of a table.
[[nodiscard]] inline std::string table_row(const std::vector<std::string>& cells) {
  std::string row = "|";
  for (const auto& cell : cells) {
    row += ' ';
    for (const char c : cell) row += c == '|' ? std::string("\\|") : std::string(1, c);
    row += " |";
  }
  return row + '\n';
}

// Makes a table's first two lines.
[[nodiscard]] inline std::string table_head(const std::vector<std::string>& names) {
  std::string line = "|";
  for (std::size_t i = 0; i < names.size(); ++i) line += "---|";
  return table_row(names) + line + '\n';
}

}  // namespace yolod::app::reference
