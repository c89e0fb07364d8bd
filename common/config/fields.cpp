#include "common/config/fields.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "common/text.hpp"

namespace yolod::common {
namespace {

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; });
}

std::string out_of_range(std::string_view text, const std::string& low, const std::string& high) {
  return shown(text) + " is out of range, allowed: " + low + " to " + high;
}

// A number must not be in quotes, because quotes mark text.
template <typename T>
std::optional<T> number_of(ConfigReader& reader, const YamlNode& node, std::string_view expected,
                           Outcome<T> (*parse)(std::string_view)) {
  if (node.kind == YamlNode::Kind::kScalar && node.quoted) {
    reader.problem(node.mark, "text in quotes, " + std::string(expected) + " is needed");
    return std::nullopt;
  }
  return reader.value_of(node, expected, parse);
}

template <typename Integer>
void read_count(ConfigReader& reader, const YamlNode& node, Integer& value, std::uint64_t low, std::uint64_t high,
                std::string_view expected) {
  const auto count = number_of(reader, node, expected, parse_count);
  if (!count.has_value()) return;
  if (*count < low || *count > high) {
    reader.problem(node.mark, out_of_range(node.text, std::to_string(low), std::to_string(high)));
  } else {
    value = static_cast<Integer>(*count);
  }
}

std::string count_expected(std::uint64_t low, std::uint64_t high) {
  return "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
}

std::string count_allowed(std::uint64_t low, std::uint64_t high) {
  const bool unbounded = high == std::numeric_limits<std::uint64_t>::max();
  return unbounded ? "a whole number, " + std::to_string(low) + " or more" : count_expected(low, high);
}

std::string size_allowed(std::uint64_t low, std::uint64_t high, bool zero_allowed) {
  return (zero_allowed ? "0, or " : "") + format_size(low) + " to " + format_size(high);
}

std::string real_allowed(double low, double high) {
  return "a number from " + format_real(low) + " to " + format_real(high);
}

}  // namespace

std::string listed(const std::vector<std::string_view>& words) {
  std::string out;
  for (const std::string_view word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

void ConfigReader::problem_at(std::string key, const YamlMark& mark, std::string message) {
  problems_.push_back({mark, {where(mark), std::move(key), std::move(message)}});
}

void ConfigReader::read_map(const YamlNode& node, const Fields& fields) {
  if (node.kind != YamlNode::Kind::kMap && node.kind != YamlNode::Kind::kNull) {
    problem(node.mark, std::string(kind_name(node.kind)) + ", a map of keys is needed");
    return;
  }
  std::map<std::string_view, YamlMark> seen;
  std::vector<std::string_view> names;
  for (const Field& field : fields) {
    names.push_back(field.name);
    if (!field.other_name.empty()) names.push_back(field.other_name);
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const YamlKey& key = node.keys[i];
    const YamlNode& item = node.items[i];
    const auto field = std::find_if(fields.begin(), fields.end(), [&key](const Field& candidate) {
      return candidate.name == key.text || (!key.text.empty() && candidate.other_name == key.text);
    });
    read_below(printable(key.text, 60), item, [&](ConfigReader& reader, const YamlNode& value) {
      if (field == fields.end()) {
        const std::string_view nearest = nearest_word(key.text, names);
        reader.problem(key.mark, (nearest.empty() ? "unknown key. "
                                                  : "unknown key, did you mean \"" + std::string(nearest) + "\"? ") +
                                     "Allowed here: " + listed(names));
        return;
      }
      const auto [first, is_new] = seen.emplace(field->name, key.mark);
      if (!is_new) {
        reader.problem(key.mark, "given twice, first at " + where(first->second) + "; it is allowed once");
        return;
      }
      field->read(reader, value);
    });
  }
  for (const Field& field : fields) {
    if (!field.required || seen.contains(field.name)) continue;
    read_below(field.name, node, [](ConfigReader& reader, const YamlNode& map) {
      reader.problem(map.mark, "missing, it must be given");
    });
  }
}

void ConfigReader::read_below(std::string_view name, const YamlNode& node,
                              const std::function<void(ConfigReader&, const YamlNode&)>& read) {
  const std::size_t parent_length = key_.size();
  if (!key_.empty() && !name.starts_with('[')) key_ += '.';
  key_ += name;
  read(*this, node);
  key_.resize(parent_length);
}

std::optional<std::string> ConfigReader::text_of(const YamlNode& node, std::string_view expected) {
  if (node.kind != YamlNode::Kind::kScalar) {
    problem(node.mark, std::string(kind_name(node.kind)) + ", " + std::string(expected) + " is needed");
    return std::nullopt;
  }
  if (has_control_character(node.text)) {
    problem(node.mark, shown(node.text) + " holds a line break or control character, not allowed");
    return std::nullopt;
  }
  return node.text;
}

std::filesystem::path ConfigReader::resolved(const std::string& path) const {
  if (path.empty() || base_.empty()) return path;
  return (base_ / path).lexically_normal();
}

std::vector<ConfigProblem> ConfigReader::take_problems() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const Found& a, const Found& b) { return a.mark < b.mark; });
  std::vector<ConfigProblem> problems;
  for (Found& found : problems_) problems.push_back(std::move(found.problem));
  problems_.clear();
  return problems;
}

std::string ConfigReader::where(const YamlMark& mark) const {
  const std::string& source = sources_.at(mark.source);
  if (mark.source != 0 || mark.line == 0) return source;
  return source + ':' + std::to_string(mark.line) + ':' + std::to_string(mark.column);
}

YamlNode write_map(const Fields& fields) {
  YamlNode map = YamlNode::map();
  for (const Field& field : fields) {
    if (!field.write) continue;
    if (auto node = field.write()) map.add({std::string(field.name), {}}, *std::move(node));
  }
  return map;
}

std::string_view kind_name(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNull: return "nothing";
    case YamlNode::Kind::kScalar: return "a single value";
    case YamlNode::Kind::kSequence: return "a list";
    case YamlNode::Kind::kMap: return "a map";
  }
  return "nothing";
}

template <typename Integer>
Field count_field(std::string_view name, Integer& value, std::uint64_t low, std::uint64_t high) {
  return Field{name,
               [&value, low, high](ConfigReader& reader, const YamlNode& node) {
                 read_count(reader, node, value, low, high, count_expected(low, high));
               },
               [&value]() -> std::optional<YamlNode> { return YamlNode::plain(std::to_string(value)); }}
      .allows(count_allowed(low, high));
}
template Field count_field(std::string_view, std::uint32_t&, std::uint64_t, std::uint64_t);
template Field count_field(std::string_view, std::uint64_t&, std::uint64_t, std::uint64_t);

Field auto_count_field(std::string_view name, std::uint32_t& value, std::uint64_t low, std::uint64_t high) {
  return Field{
      name,
      [&value, low, high](ConfigReader& reader, const YamlNode& node) {
        if (node.kind == YamlNode::Kind::kScalar && node.text == "auto") {
          value = 0;
        } else {
          read_count(reader, node, value, low, high, "auto or " + count_expected(low, high));
        }
      },
      [&value]() -> std::optional<YamlNode> { return YamlNode::plain(value == 0 ? "auto" : std::to_string(value)); }}
      .allows("auto, or " + count_allowed(low, high));
}

Field real_field(std::string_view name, double& value, double low, double high) {
  return Field{name,
               [&value, low, high](ConfigReader& reader, const YamlNode& node) {
                 const auto number = number_of(reader, node, real_allowed(low, high), parse_real);
                 if (!number.has_value()) return;
                 if (*number < low || *number > high) {
                   reader.problem(node.mark, out_of_range(node.text, format_real(low), format_real(high)));
                 } else {
                   value = *number;
                 }
               },
               [&value]() -> std::optional<YamlNode> { return YamlNode::plain(format_real(value)); }}
      .allows(real_allowed(low, high));
}

Field bool_field(std::string_view name, bool& value) {
  return choice_field<bool>(name, value, {{"true", true}, {"false", false}});
}

Field string_field(std::string_view name, std::string& value) {
  return Field{name,
               [&value](ConfigReader& reader, const YamlNode& node) {
                 if (auto text = reader.text_of(node, "text (\"\" for none)")) value = *std::move(text);
               },
               [&value]() -> std::optional<YamlNode> { return YamlNode::string(value); }}
      .allows("text");
}

Field strings_field(std::string_view name, std::vector<std::string>& value) {
  return Field{
      name,
      [&value](ConfigReader& reader, const YamlNode& node) {
        if (node.kind != YamlNode::Kind::kSequence) {
          reader.problem(node.mark, std::string(kind_name(node.kind)) + ", a list such as [one, two] is needed");
          return;
        }
        value.clear();
        for (std::size_t i = 0; i < node.items.size(); ++i) {
          reader.read_below('[' + std::to_string(i) + ']', node.items[i], [&value](ConfigReader& below, auto& item) {
            auto text = below.text_of(item, "text");
            if (!text.has_value()) return;
            if (text->empty()) below.problem(item.mark, "empty, text is needed");
            value.push_back(*std::move(text));
          });
        }
      },
      [&value]() -> std::optional<YamlNode> {
        YamlNode list = YamlNode::sequence();
        for (const std::string& text : value) list.items.push_back(YamlNode::string(text));
        return list;
      }}
      .allows("a list of texts, such as [one, two]");
}

Field size_field(std::string_view name, std::uint64_t& value, std::uint64_t low, std::uint64_t high,
                 bool zero_allowed) {
  return Field{name,
               [&value, low, high, zero_allowed](ConfigReader& reader, const YamlNode& node) {
                 const auto size = reader.value_of(node, "a size such as 16MiB", parse_size);
                 if (!size.has_value()) return;
                 if ((*size < low || *size > high) && !(zero_allowed && *size == 0)) {
                   reader.problem(node.mark, out_of_range(node.text, (zero_allowed ? "0, or " : "") + format_size(low),
                                                          format_size(high)));
                 } else {
                   value = *size;
                 }
               },
               [&value]() -> std::optional<YamlNode> { return YamlNode::plain(format_size(value)); }}
      .allows(size_allowed(low, high, zero_allowed));
}

Field time_field(std::string_view name, milliseconds& value, milliseconds low, milliseconds high) {
  return Field{name,
               [&value, low, high](ConfigReader& reader, const YamlNode& node) {
                 const auto time = reader.value_of(node, "a time such as 500ms or 10s", parse_time);
                 if (!time.has_value()) return;
                 if (*time < low || *time > high) {
                   reader.problem(node.mark, out_of_range(node.text, format_time(low), format_time(high)));
                 } else {
                   value = *time;
                 }
               },
               [&value]() -> std::optional<YamlNode> { return YamlNode::plain(format_time(value)); }}
      .allows(format_time(low) + " to " + format_time(high));
}

Field path_field(std::string_view name, std::filesystem::path& value) {
  return Field{name,
               [&value](ConfigReader& reader, const YamlNode& node) {
                 if (const auto text = reader.text_of(node, "a path (\"\" for none)")) value = reader.resolved(*text);
               },
               [&value]() -> std::optional<YamlNode> { return YamlNode::string(value.string()); }}
      .allows("a path");
}

Field required_path_field(std::string_view name, std::filesystem::path& value, std::string_view other_name) {
  Field field = path_field(name, value);
  field.required = true;
  field.other_name = other_name;
  field.read = [&value](ConfigReader& reader, const YamlNode& node) {
    const auto text = reader.text_of(node, "a path");
    if (!text.has_value()) return;
    if (text->empty()) reader.problem(node.mark, "empty, a path is needed");
    value = reader.resolved(*text);
  };
  return field;
}

std::optional<std::size_t> read_choice(ConfigReader& reader, const YamlNode& node,
                                       const std::vector<std::string_view>& words) {
  const auto text = reader.text_of(node, "one of " + listed(words));
  if (!text.has_value()) return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), *text);
  if (found == words.end()) {
    reader.problem(node.mark, shown(*text) + " is not known, allowed: " + listed(words));
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - words.begin());
}

}  // namespace yolod::common
