#include "model/darknet/names.hpp"

#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/text.hpp"
#include "model/read_file.hpp"

namespace yolod::model::darknet {
namespace {

using common::Outcome;

constexpr std::size_t kMaxNamesBytes = std::size_t{8} << 20U;
constexpr std::size_t kMaxLabelBytes = 1'024;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto newline = text.find('\n');
    lines.push_back(common::trimmed(text.substr(0, newline)));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

// The value of `names` if the lines read as a .data file: only key=value, blank and comment lines, `names` among them.
// A list of labels with an '=' in each of them and one called "names" is not a thing to provide for.
std::optional<std::string> names_key(const std::vector<std::string_view>& lines) {
  std::optional<std::string> value;
  for (const auto line : lines) {
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    if (common::trimmed(line.substr(0, equals)) == "names")
      value = std::string(common::trimmed(line.substr(equals + 1)));
  }
  return value;
}

std::filesystem::path beside(const std::filesystem::path& data_file, const std::string& named) {
  const std::filesystem::path path(named);
  if (path.is_absolute()) return path;
  const auto near = data_file.parent_path() / path;
  std::error_code ignored;
  if (!std::filesystem::exists(near, ignored) && std::filesystem::exists(path, ignored)) return path;
  return near;
}

}  // namespace

std::filesystem::path list_named_by(const std::filesystem::path& file) {
  const auto text = read_file(file, kMaxNamesBytes);
  const auto named = text ? names_key(lines_of(*text)) : std::nullopt;
  return named ? beside(file, *named) : std::filesystem::path();
}

Outcome<std::vector<std::string>> read_names(const std::filesystem::path& file, std::size_t class_count) {
  auto list_file = file;
  auto text = read_file(list_file, kMaxNamesBytes);
  if (!text) return std::move(text).error();
  auto lines = lines_of(*text);
  if (const auto named = names_key(lines)) {
    list_file = beside(file, *named);
    text = read_file(list_file, kMaxNamesBytes);
    if (!text) return bad_model(file.string() + ": names: " + text.error().message);
    lines = lines_of(*text);
  }
  if (class_count != 0 && lines.size() != class_count) {
    return bad_model(list_file.string() + ": " + std::to_string(lines.size()) + " labels, the network has " +
                     std::to_string(class_count) + " classes");
  }
  std::vector<std::string> labels;
  labels.reserve(lines.size());
  for (const auto line : lines) {
    if (line.size() > kMaxLabelBytes || line.find('\0') != std::string_view::npos) {
      return bad_model(list_file.string() + ":" + std::to_string(labels.size() + 1) + ": not a label");
    }
    labels.emplace_back(line);
  }
  return labels;
}

}  // namespace yolod::model::darknet
