#include "common/config/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "common/config/yaml_fault.hpp"
#include "common/text.hpp"

namespace yolod::common {
namespace {

// Receives yaml-cpp's events and builds the tree. It throws faults as YAML::ParserException, as yaml-cpp does.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::uint32_t source) : source_(source) {}

  [[nodiscard]] YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (document_seen_) throw YAML::ParserException(mark, "a second document begins here, only one is allowed");
    document_seen_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    count_node(mark);
    YamlNode node;
    node.mark = converted(mark);
    place(std::move(node), anchor, mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw YAML::ParserException(mark, "an alias inside the value that its anchor names");
    check_copy(found->second, open_.size(), mark);
    YamlNode copy = found->second;
    place(std::move(copy), 0, mark);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    count_node(mark);
    YamlNode node;
    node.kind = YamlNode::Kind::kScalar;
    node.quoted = tag == "!";
    if (!node.quoted) refuse_tag(tag, mark);
    node.mark = converted(mark);
    node.text = value;
    place(std::move(node), anchor, mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::kSequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    std::optional<YamlKey> key;  // of a map: the key that waits for its value
    YAML::anchor_t anchor{0};
    YAML::Mark mark;
  };

  [[nodiscard]] YamlMark converted(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

  static void refuse_tag(const std::string& tag, const YAML::Mark& mark) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw YAML::ParserException(mark, "the tag " + printable(tag, 60) + " is not known, no tags are allowed");
    }
  }

  void count_node(const YAML::Mark& mark) {
    if (++node_count_ > kMaxYamlNodes) {
      throw YAML::ParserException(mark,
                                  "too many values, allowed (aliases written out): " + std::to_string(kMaxYamlNodes));
    }
  }

  static void check_depth(std::size_t depth, const YAML::Mark& mark) {
    if (depth > kMaxYamlDepth) {
      throw YAML::ParserException(mark, "nested too deeply, allowed: " + std::to_string(kMaxYamlDepth) + " levels");
    }
  }

  // Call it before a node is copied, for its anchor or for an alias, so that the copy stays within the limits. It
  // stops at the first node above a limit.
  void check_copy(const YamlNode& node, std::size_t depth, const YAML::Mark& mark) {
    count_node(mark);
    if (node.kind == YamlNode::Kind::kMap || node.kind == YamlNode::Kind::kSequence) check_depth(depth + 1, mark);
    for (const YamlNode& item : node.items) check_copy(item, depth + 1, mark);
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    refuse_tag(tag, mark);
    count_node(mark);
    check_depth(open_.size() + 1, mark);
    Open opened;
    opened.node.kind = kind;
    opened.node.mark = converted(mark);
    opened.anchor = anchor;
    opened.mark = mark;
    open_.push_back(std::move(opened));
  }

  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    place(std::move(closed.node), closed.anchor, closed.mark);
  }

  // Places a finished node: as the root, the next item, the next key or that key's value.
  void place(YamlNode node, YAML::anchor_t anchor, const YAML::Mark& mark) {
    if (anchor != 0) {
      check_copy(node, open_.size(), mark);
      anchors_[anchor] = node;
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::kSequence) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.key.has_value()) {
      parent.node.add(*std::exchange(parent.key, std::nullopt), std::move(node));
    } else if (node.kind == YamlNode::Kind::kScalar) {
      parent.key = YamlKey{std::move(node.text), node.mark};
    } else {
      throw YAML::ParserException(mark, "a key must be plain text");
    }
  }

  const std::uint32_t source_;
  bool document_seen_{false};
  std::size_t node_count_{0};
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;  // contains only finished nodes
  YamlNode root_;
};

// Refuses bytes that yaml-cpp does not treat as plain UTF-8 text: it ends its input silently at a 0x04 byte, and it
// guesses other encodings from the first bytes.
std::optional<YamlFault> check_text(std::string_view text, std::uint32_t source) {
  if (text.size() > kMaxYamlBytes) {
    return YamlFault{{source, 1, 1}, "larger than 1 MiB, a config is at most that"};
  }
  int line = 1;
  std::size_t line_start = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = utf8_sequence_length(text.substr(at));
    const char c = text[at];
    const bool control = (c >= 0 && c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F;
    if (length == 0 || control) {
      return YamlFault{{source, line, static_cast<int>(at - line_start) + 1},
                       "the byte " + printable(text.substr(at, 1)) +
                           (control ? " is a control character, not allowed in YAML" : " is not UTF-8")};
    }
    at += length;
    if (c == '\n') {
      ++line;
      line_start = at;
    }
  }
  return std::nullopt;
}

std::string double_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if ((c >= 0 && c < 0x20) || c == 0x7F) {
      constexpr char kDigits[] = "0123456789abcdef";
      out += "\\x";
      out += kDigits[static_cast<unsigned char>(c) >> 4U];
      out += kDigits[static_cast<unsigned char>(c) & 0xFU];
    } else {
      out += c;
    }
  }
  return out + '"';
}

// Returns a node as one line.
std::string flow_text(const YamlNode& node) {
  std::string out;
  switch (node.kind) {
    case YamlNode::Kind::kNull: return "~";
    case YamlNode::Kind::kScalar: return node.quoted ? double_quoted(node.text) : node.text;
    case YamlNode::Kind::kSequence:
      for (const YamlNode& item : node.items) out += (out.empty() ? "" : ", ") + flow_text(item);
      return "[" + out + "]";
    case YamlNode::Kind::kMap:
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        out += (i == 0 ? "" : ", ") + double_quoted(node.keys[i].text) + ": " + flow_text(node.items[i]);
      }
      return "{" + out + "}";
  }
  return out;
}

bool is_filled_map(const YamlNode& node) { return node.kind == YamlNode::Kind::kMap && !node.items.empty(); }

bool is_list_of_maps(const YamlNode& node) {
  return node.kind == YamlNode::Kind::kSequence && !node.items.empty() &&
         std::all_of(node.items.begin(), node.items.end(), is_filled_map);
}

void append_block(std::string& out, const YamlNode& map, std::size_t indent) {
  for (std::size_t i = 0; i < map.items.size(); ++i) {
    const YamlNode& item = map.items[i];
    out.append(indent, ' ') += map.keys[i].text;
    if (is_filled_map(item)) {
      out += ":\n";
      append_block(out, item, indent + 2);
    } else if (is_list_of_maps(item)) {
      out += ":\n";
      for (const YamlNode& one : item.items) {
        const std::size_t begin = out.size();
        append_block(out, one, indent + 4);
        out[begin + indent + 2] = '-';
      }
    } else {
      out += ": " + flow_text(item) + '\n';
    }
  }
}

}  // namespace

YamlNode YamlNode::plain(std::string text) {
  YamlNode node;
  node.kind = Kind::kScalar;
  node.text = std::move(text);
  return node;
}

YamlNode YamlNode::string(std::string text) {
  YamlNode node = plain(std::move(text));
  node.quoted = true;
  return node;
}

YamlNode YamlNode::sequence() {
  YamlNode node;
  node.kind = Kind::kSequence;
  return node;
}

YamlNode YamlNode::map() {
  YamlNode node;
  node.kind = Kind::kMap;
  return node;
}

const YamlNode* YamlNode::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].text == key) return &items[i];
  }
  return nullptr;
}

YamlNode* YamlNode::find(std::string_view key) {
  return const_cast<YamlNode*>(std::as_const(*this).find(key));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

YamlNode& YamlNode::add(YamlKey key, YamlNode value) {
  keys.push_back(std::move(key));
  items.push_back(std::move(value));
  return items.back();
}

std::variant<YamlNode, YamlFault> parse_yaml(std::string_view text, std::uint32_t source) {
  if (auto fault = check_text(text, source)) return *std::move(fault);
  try {
    std::istringstream input{std::string(text)};
    YAML::Parser parser(input);
    TreeBuilder builder(source);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take_root();
  } catch (const YAML::Exception& e) {
    YamlMark mark{source, 0, 0};
    if (!e.mark.is_null()) mark = {source, e.mark.line + 1, e.mark.column + 1};
    return YamlFault{mark, explain_yaml_fault(text, mark.line, mark.column, e.msg)};
  } catch (const std::exception& e) {
    return YamlFault{{source, 0, 0}, std::string("cannot be read as YAML: ") + printable(e.what(), 200)};
  }
}

std::string to_yaml(const YamlNode& root) {
  std::string out;
  if (root.kind == YamlNode::Kind::kMap && !root.items.empty()) {
    append_block(out, root, 0);
  } else {
    out = flow_text(root) + '\n';
  }
  return out;
}

}  // namespace yolod::common
