#include "common/config/yaml_fault.hpp"

#include <yaml-cpp/exceptions.h>

#include <algorithm>
#include <optional>

#include "common/text.hpp"

namespace yolod::common {
namespace {

std::string_view line_of(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// Finds an address such as [::1]:8080 without quotes, where YAML reads the bracket as the start of a list.
std::optional<std::string_view> bracketed_address(std::string_view line) {
  constexpr std::string_view kAddress = "0123456789abcdefABCDEF:.%";
  for (auto open = line.find('['); open != std::string_view::npos; open = line.find('[', open + 1)) {
    const bool quoted = open > 0 && (line[open - 1] == '"' || line[open - 1] == '\'');
    const auto close = std::min(line.find_first_not_of(kAddress, open + 1), line.size());
    const auto inside = line.substr(open + 1, close - open - 1);
    if (quoted || !line.substr(close).starts_with(']') || inside.find(':') == std::string_view::npos) continue;
    const auto end = std::min(line.find_first_not_of("0123456789:", close + 1), line.size());
    return line.substr(open, end - open);
  }
  return std::nullopt;
}

}  // namespace

std::string explain_yaml_fault(std::string_view text, int line, int column, std::string_view message) {
  const auto whole = line_of(text, line);
  const auto indentation = whole.substr(0, std::min(whole.find_first_not_of(" \t"), whole.size()));
  if (indentation.find('\t') != std::string_view::npos) {
    return "the line begins with a tab, YAML is indented with blanks alone";
  }
  if (const auto address = bracketed_address(whole)) {
    return "in YAML [ begins a list, an address in brackets needs quotes: \"" + printable(*address, 60) + '"';
  }
  if (message.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR)) {
    return "in YAML * begins an alias, text that begins with it needs quotes (every address is 0.0.0.0, not *)";
  }
  if (message.starts_with(YAML::ErrorMsg::MAP_VALUE) || message.starts_with(YAML::ErrorMsg::MAP_KEY)) {
    return "a key is not expected here: the line is indented further than the previous line, or has a second colon "
           "with "
           "a blank behind it (such text needs quotes)";
  }
  if (message.starts_with(YAML::ErrorMsg::UNKNOWN_TOKEN)) {
    const auto at = whole.substr(std::min(whole.size(), static_cast<std::size_t>(std::max(column - 1, 0))), 1);
    return "text that begins with " + printable(at, 4) + " needs quotes";
  }
  if (message.starts_with(YAML::ErrorMsg::BLOCK_ENTRY)) return "an item of a list (- ...) begins on a line of its own";
  if (message.starts_with(YAML::ErrorMsg::END_OF_SEQ_FLOW)) return "a list that begins with [ has no ] so far";
  if (message.starts_with(YAML::ErrorMsg::END_OF_MAP_FLOW)) return "a map that begins with { has no } so far";
  if (message.starts_with(YAML::ErrorMsg::END_OF_SEQ) || message.starts_with(YAML::ErrorMsg::END_OF_MAP)) {
    return "this line does not continue the lines above it: check the indentation, and put text with special signs "
           "in quotes";
  }
  return printable(message, 200);
}

}  // namespace yolod::common
