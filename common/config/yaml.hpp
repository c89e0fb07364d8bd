// A YAML document as a plain tree. Every node has its position in the text. The types hold plain values; any thread
// may use them.
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
  bool quoted{false};  // for a scalar: it was in quotes or a block, so it is text and not a number or keyword
  YamlMark mark;
  std::string text;             // for a scalar
  std::vector<YamlKey> keys;    // for a map: keys[i] belongs to items[i]; in the order of the file, with duplicates
  std::vector<YamlNode> items;  // for a sequence or a map

  [[nodiscard]] static YamlNode plain(std::string text);   // a number or a keyword
  [[nodiscard]] static YamlNode string(std::string text);  // a string with any content
  [[nodiscard]] static YamlNode sequence();
  [[nodiscard]] static YamlNode map();

  // Returns the value of the first such key of a map, or nullptr if there is none or the node is not a map.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
  [[nodiscard]] YamlNode* find(std::string_view key);
  // Adds an entry to a map without checking for duplicates.
  YamlNode& add(YamlKey key, YamlNode value);
};

struct YamlFault {
  YamlMark mark;
  std::string message;
};

// The limits of parse_yaml(). A person writes a config, so they are small.
inline constexpr std::size_t kMaxYamlBytes = std::size_t{1} << 20U;
inline constexpr std::size_t kMaxYamlDepth = 64;
inline constexpr std::size_t kMaxYamlNodes = 100'000;  // each alias counts as much as a copy of its target

// Parses the only document in `text` (UTF-8), or returns why that is impossible. The nodes' marks have `source`. An
// alias becomes a copy of its target. Tags, and keys that are not plain text, are faults. Throws only if memory is
// exhausted.
[[nodiscard]] std::variant<YamlNode, YamlFault> parse_yaml(std::string_view text, std::uint32_t source);

// Returns the tree as YAML text: maps and lists of maps as blocks, other sequences in brackets. parse_yaml() reads
// the text as the same tree with other marks.
[[nodiscard]] std::string to_yaml(const YamlNode& root);

}  // namespace yolod::common
