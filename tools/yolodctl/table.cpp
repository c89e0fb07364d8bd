#include "tools/yolodctl/table.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdio>

namespace yolod::tools {

namespace json = boost::json;

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool is_last = i + 1 == row.size();
      std::printf("%-*s%s", is_last ? 0 : static_cast<int>(widths[i]), row[i].c_str(), is_last ? "\n" : "  ");
    }
  }
}

std::string cell(const json::object& object, const char* key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return "-";
  if (const auto* text = value->if_string()) return text->empty() ? "-" : std::string(*text);
  return json::serialize(*value);
}

const json::array& list(const json::object& object, const char* key) {
  static const json::array none;
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->get_array() : none;
}

std::string join_texts(const json::array& texts) {
  std::string joined;
  for (const auto& text : texts) {
    if (!joined.empty()) joined += ", ";
    joined += text.is_string() ? std::string(text.get_string()) : json::serialize(text);
  }
  return joined.empty() ? "-" : joined;
}

}  // namespace yolod::tools
