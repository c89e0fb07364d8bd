// A YAML document as a plain tree in which every node knows where it was written.
// Values only; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace yolod::common {

struct YamlMark {
  std::uint32_t source{0};  // 0: the file; n: the n-th --set
  int line{0};              // from 1; 0: unknown
  int column{0};            // from 1, in bytes
  friend auto operator<=>(const YamlMark&, const YamlMark&) = default;
};

struct YamlKey {
  std::string text;
  YamlMark mark;
};

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };

  Kind kind{Kind::kNull};
  bool quoted{false};  // of a scalar: it was written in quotes or as a block, so it is no number and no word of ours
  YamlMark mark;
  std::string text;             // of a scalar
  std::vector<YamlKey> keys;    // of a map: keys[i] belongs to items[i]; in the order of the file, duplicates kept
  std::vector<YamlNode> items;  // of a sequence or map

  [[nodiscard]] static YamlNode plain(std::string text);   // a number or a word of ours
  [[nodiscard]] static YamlNode string(std::string text);  // a string that may hold anything
  [[nodiscard]] static YamlNode sequence();
  [[nodiscard]] static YamlNode map();

  // The value of a map's first such key; nullptr where there is none or this is no map.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
  [[nodiscard]] YamlNode* find(std::string_view key);
  // Adds to a map, without looking for duplicates.
  YamlNode& add(YamlKey key, YamlNode value);
};

struct YamlFault {
  YamlMark mark;
  std::string message;
};

// Limits of what parse_yaml() takes: a config is written by a person.
inline constexpr std::size_t kMaxYamlBytes = std::size_t{1} << 20U;
inline constexpr std::size_t kMaxYamlDepth = 64;
inline constexpr std::size_t kMaxYamlNodes = 100'000;  // aliases count as what they stand for

// The one document in `text` (UTF-8), or why it cannot be read. Nodes are marked with `source`. An alias is replaced by
// a copy of what it names. Tags and keys that are not plain text are faults. Never throws, short of memory.
[[nodiscard]] std::variant<YamlNode, YamlFault> parse_yaml(std::string_view text, std::uint32_t source);

// The tree as YAML text: maps and lists of maps as blocks, other sequences in brackets. parse_yaml() of it gives the
// same tree, marks apart.
[[nodiscard]] std::string to_yaml(const YamlNode& root);

}  // namespace yolod::common
