#include "tools/yolodctl/model/json_line.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <cstdio>
#include <string>
#include <string_view>

#include "common/text.hpp"

namespace yolod::tools {

void print_json_line(const boost::json::value& value) {
  const auto json = boost::json::serialize(value);
  std::string line;
  // Such bytes can appear only inside strings, where a backslash is written twice.
  for (std::string_view rest = json; !rest.empty();) {
    const auto length = common::utf8_sequence_length(rest);
    if (length == 0) {
      line += fmt::format("\\\\x{:02x}", static_cast<unsigned char>(rest.front()));
      rest.remove_prefix(1);
    } else {
      line += rest.substr(0, length);
      rest.remove_prefix(length);
    }
  }
  std::printf("%s\n", line.c_str());
}

}  // namespace yolod::tools
