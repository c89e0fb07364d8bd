// Prints tables, and reads cells from the JSON of a server. Another version of the server may not have a key.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

namespace yolod::tools {

// Prints each row as a line, with columns of equal width. The first row has the names of the columns.
void print_table(const std::vector<std::vector<std::string>>& rows);

// Returns a value as text, or "-" if it is missing or empty.
[[nodiscard]] std::string cell(const boost::json::object& object, const char* key);

// Returns the array, or an empty array if it is missing.
[[nodiscard]] const boost::json::array& list(const boost::json::object& object, const char* key);

// Returns the texts of an array, separated by commas, or "-".
[[nodiscard]] std::string join_texts(const boost::json::array& texts);

}  // namespace yolod::tools
