#include "model/sources/labels.hpp"

#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/domain/description.hpp"
#include "common/text.hpp"
#include "model/bad_model.hpp"
#include "model/files/read_file.hpp"
#include "model/sources/file_kind.hpp"

namespace yolod::model::darknet {
namespace {

using common::Outcome;

constexpr std::size_t kMaxNamesBytes = std::size_t{8} << 20U;

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

struct NamedList {
  std::string file;
  std::size_t line{0};  // from 1
};

// Returns the value of `names` if the lines are a .data file: only key=value lines, blank lines and comments, with a
// key `names`. (A list of labels that all contain '=', with one label called "names", is too unlikely to support.)
std::optional<NamedList> names_key(const std::vector<std::string_view>& lines) {
  std::optional<NamedList> named;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto line = lines[i];
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    if (common::trimmed(line.substr(0, equals)) == "names")
      named = NamedList{std::string(common::trimmed(line.substr(equals + 1))), i + 1};
  }
  return named;
}

std::filesystem::path beside(const std::filesystem::path& data_file, const std::string& named) {
  const std::filesystem::path path(named);
  if (path.is_absolute()) return path;
  const auto near = data_file.parent_path() / path;
  std::error_code ignored;
  if (!std::filesystem::exists(near, ignored) && std::filesystem::exists(path, ignored)) return path;
  return near;
}

common::Error at_line(const std::filesystem::path& file, std::size_t line, const std::string& what) {
  return bad_model(file.string() + ":" + std::to_string(line) + ": " + what);
}

// Returns why `text` cannot be sent to the front-end or stand in JSON; empty if it can.
std::string problem_of(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return "a NUL byte: this is no list of labels";
  if (!common::is_utf8(text)) return "\"" + common::printable(text, 40) + "\" is not UTF-8: save the file as UTF-8";
  if (text.size() <= common::kMaxLabelBytes) return {};
  return "a label of " + std::to_string(text.size()) + " bytes, at most " + std::to_string(common::kMaxLabelBytes) +
         " are allowed";
}

}  // namespace

std::filesystem::path list_named_by(const std::filesystem::path& file) {
  const auto text = read_text(file, kMaxNamesBytes);
  const auto named = text ? names_key(lines_of(*text)) : std::nullopt;
  return named ? beside(file, named->file) : std::filesystem::path();
}

Outcome<std::vector<std::string>> read_names(const std::filesystem::path& file, std::size_t class_count) {
  if (auto good = check_kind(file, Wanted::kNames); !good) return good.error();
  auto list_file = file;
  auto text = read_text(list_file, kMaxNamesBytes);
  if (!text) return std::move(text).error();
  auto lines = lines_of(*text);
  if (const auto named = names_key(lines)) {
    if (!common::is_utf8(named->file)) return at_line(file, named->line, problem_of(named->file));
    list_file = beside(file, named->file);
    if (auto good = check_kind(list_file, Wanted::kNames); !good) return good.error();
    text = read_text(list_file, kMaxNamesBytes);
    if (!text) return bad_model(file.string() + ": names: " + text.error().message);
    lines = lines_of(*text);
  }
  // Check the labels before their number, because a file that is not a list of labels may have any number of lines.
  std::vector<std::string> labels;
  labels.reserve(lines.size());
  for (const auto line : lines) {
    if (const auto problem = problem_of(line); !problem.empty()) return at_line(list_file, labels.size() + 1, problem);
    labels.emplace_back(line);
  }
  if (class_count != 0 && labels.size() != class_count) {
    return bad_model(list_file.string() + ": " + std::to_string(labels.size()) + " labels, the network has " +
                     std::to_string(class_count) + " classes");
  }
  return labels;
}

}  // namespace yolod::model::darknet
