// The parts of a schema. A Field is one key of a map. It has the name, it reads and writes the value, and it holds
// the text of the reference. Reading, writing, the suggestion for a misspelt key and the reference use the same
// Fields (tables.hpp), so their sets of keys always agree.
//
// A Field refers to the struct that it was made for and must not outlive it. One thread uses it.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/clock.hpp"
#include "common/config/problem.hpp"
#include "common/config/values.hpp"
#include "common/config/yaml.hpp"

namespace yolod::common {

class ConfigReader;

struct Field;
using Fields = std::vector<Field>;

struct Field {
  using Visitor = std::function<void(const Fields&)>;

  std::string_view name;
  std::function<void(ConfigReader&, const YamlNode&)> read;
  // Returns nullopt if the key must be omitted. A field without this function is only read.
  std::function<std::optional<YamlNode>()> write;
  bool required{false};
  std::string_view other_name{};  // a second spelling that the reader accepts

  // The rest is for the reference of all keys (reference.hpp).
  std::string allowed{};           // "a whole number, 1 to 256"; empty: only a map of keys
  std::string_view meaning{};      // one sentence
  std::string_view when_absent{};  // the behaviour without the key, if the default value does not show it
  // Shows the visitor the keys of the map that is the value, or of each map of the list that is the value.
  std::function<void(const Visitor&)> show_keys{};
  bool is_list{false};

  [[nodiscard]] Field allows(std::string values) && {
    allowed = std::move(values);
    return std::move(*this);
  }
  [[nodiscard]] Field means(std::string_view sentence) && {
    meaning = sentence;
    return std::move(*this);
  }
  [[nodiscard]] Field absent(std::string_view text) && {
    when_absent = text;
    return std::move(*this);
  }
};

// Collects the problems of a config while its tree is read, and tracks the current key.
class ConfigReader {
 public:
  // `sources` are the names for YamlMark::source: the file, then each --set. Relative paths become absolute against
  // `base`; with an empty `base` they stay unchanged.
  ConfigReader(std::vector<std::string> sources, std::filesystem::path base)
      : sources_(std::move(sources)), base_(std::move(base)) {}

  // Adds a problem of the current key.
  void problem(const YamlMark& mark, std::string message) { problem_at(key_, mark, std::move(message)); }
  void problem_at(std::string key, const YamlMark& mark, std::string message);

  // Reads each entry of `node` with its field. Reports unknown keys, repeated keys and missing required keys. A null
  // node counts as an empty map, because all lines of a section may be commented out.
  void read_map(const YamlNode& node, const Fields& fields);
  // Calls `read` with the node, with `name` ("cfg", "[0]") appended to the current key.
  void read_below(std::string_view name, const YamlNode& node,
                  const std::function<void(ConfigReader&, const YamlNode&)>& read);

  // Returns the text of a scalar. Reports a problem and returns nullopt for another kind of node or for control
  // characters.
  [[nodiscard]] std::optional<std::string> text_of(const YamlNode& node, std::string_view expected);
  // Returns the value that `parse` finds in the text of a scalar. Reports a problem and returns nullopt if there is
  // none.
  template <typename T>
  [[nodiscard]] std::optional<T> value_of(const YamlNode& node, std::string_view expected,
                                          Outcome<T> (*parse)(std::string_view));
  [[nodiscard]] std::filesystem::path resolved(const std::string& path) const;

  void set_base(std::filesystem::path base) { base_ = std::move(base); }
  [[nodiscard]] const std::filesystem::path& base() const { return base_; }

  [[nodiscard]] bool has_problems() const { return !problems_.empty(); }
  // Returns every problem so far, in the order of the file.
  [[nodiscard]] std::vector<ConfigProblem> take_problems();

 private:
  struct Found {
    YamlMark mark;
    ConfigProblem problem;
  };

  [[nodiscard]] std::string where(const YamlMark& mark) const;

  const std::vector<std::string> sources_;
  std::filesystem::path base_;
  std::string key_;
  std::vector<Found> problems_;
};

// The inverse of read_map(): returns a map of the values that the fields write.
[[nodiscard]] YamlNode write_map(const Fields& fields);

// Returns the kind of a node for messages: "a list", "a map", "nothing".
[[nodiscard]] std::string_view kind_name(YamlNode::Kind kind);

// ---- One function for each kind of value. The bounds `low` and `high` are inclusive.

template <typename Integer>
[[nodiscard]] Field count_field(std::string_view name, Integer& value, std::uint64_t low, std::uint64_t high);
// Accepts a count. The word `auto` means 0.
[[nodiscard]] Field auto_count_field(std::string_view name, std::uint32_t& value, std::uint64_t low,
                                     std::uint64_t high);
[[nodiscard]] Field real_field(std::string_view name, double& value, double low, double high);
[[nodiscard]] Field bool_field(std::string_view name, bool& value);
[[nodiscard]] Field string_field(std::string_view name, std::string& value);
[[nodiscard]] Field strings_field(std::string_view name, std::vector<std::string>& value);
// If `zero_allowed` is true, 0 is allowed in addition to `low`..`high`.
[[nodiscard]] Field size_field(std::string_view name, std::uint64_t& value, std::uint64_t low, std::uint64_t high,
                               bool zero_allowed = false);
[[nodiscard]] Field time_field(std::string_view name, milliseconds& value, milliseconds low, milliseconds high);
// If the key is not required, its path may be empty.
[[nodiscard]] Field path_field(std::string_view name, std::filesystem::path& value);
// As path_field, but the key is required and its path must not be empty.
[[nodiscard]] Field required_path_field(std::string_view name, std::filesystem::path& value,
                                        std::string_view other_name = {});
// Makes the show_keys of a map that is read into a T.
template <typename T>
void show_keys_of(const Field::Visitor& visit) {
  T value{};
  visit(fields_of(value));
}

// Reads a map with its own fields. Argument-dependent lookup finds `fields_of` for T (tables.hpp).
template <typename T>
[[nodiscard]] Field section_field(std::string_view name, T& value) {
  Field field{name, [&value](ConfigReader& reader, const YamlNode& node) { reader.read_map(node, fields_of(value)); },
              [&value]() -> std::optional<YamlNode> { return write_map(fields_of(value)); }};
  field.show_keys = show_keys_of<T>;
  return field;
}

// Accepts a word from a fixed list.
template <typename Enum>
using Choices = std::vector<std::pair<std::string_view, Enum>>;

// Returns the index of the word in `node`, or nullopt after it has reported a problem.
[[nodiscard]] std::optional<std::size_t> read_choice(ConfigReader& reader, const YamlNode& node,
                                                     const std::vector<std::string_view>& words);

// Returns the words, separated by commas.
[[nodiscard]] std::string listed(const std::vector<std::string_view>& words);

template <typename Enum>
[[nodiscard]] Field choice_field(std::string_view name, Enum& value, const Choices<Enum>& choices) {
  std::vector<std::string_view> words;
  for (const auto& choice : choices) words.push_back(choice.first);
  Field field{name,
              [&value, choices, words](ConfigReader& reader, const YamlNode& node) {
                if (const auto index = read_choice(reader, node, words)) value = choices[*index].second;
              },
              [&value, choices]() -> std::optional<YamlNode> {
                for (const auto& choice : choices) {
                  if (choice.second == value) return YamlNode::plain(std::string(choice.first));
                }
                return std::nullopt;
              }};
  field.allowed = listed(words);
  return field;
}

template <typename T>
std::optional<T> ConfigReader::value_of(const YamlNode& node, std::string_view expected,
                                        Outcome<T> (*parse)(std::string_view)) {
  const auto text = text_of(node, expected);
  if (!text.has_value()) return std::nullopt;
  auto outcome = parse(*text);
  if (outcome.ok()) return std::move(outcome).value();
  problem(node.mark, outcome.error().message);
  return std::nullopt;
}

}  // namespace yolod::common
