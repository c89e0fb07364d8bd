#include "common/config/overrides.hpp"

#include <charconv>
#include <utility>

#include "common/config/fields.hpp"

namespace yolod::common {
namespace {

// A node of the tree, and the part of the key that names a place below this node.
struct Step {
  YamlNode* node{nullptr};
  std::string_view rest;
  std::string problem;  // set if the key leads nowhere; `node` is then null
};

Step stuck(std::string problem) { return {nullptr, {}, std::move(problem)}; }

// Returns the text after a finished segment, which is empty, ".more" or "[index]". Returns nullopt for a single "."
// at the end, which would name an empty key.
std::optional<std::string_view> after_segment(std::string_view rest) {
  if (!rest.starts_with('.')) return rest;
  if (rest.size() == 1) return std::nullopt;
  return rest.substr(1);
}

constexpr std::string_view kForms = ", allowed: names joined by dots, and [N] for an item of a list";

Step into_index(YamlNode& node, std::string_view key, const YamlMark& mark) {
  const std::size_t close = key.find(']');
  std::size_t index = 0;
  const char* const digits_end = key.data() + (close == std::string_view::npos ? key.size() : close);
  const auto [end, error] = std::from_chars(key.data() + 1, digits_end, index);
  const auto rest = close == std::string_view::npos ? std::nullopt : after_segment(key.substr(close + 1));
  if (error != std::errc{} || end != digits_end || !rest.has_value()) {
    return stuck(shown(key) + " is not an index" + std::string(kForms));
  }
  if (node.kind == YamlNode::Kind::kNull) {
    node = YamlNode::sequence();
    node.mark = mark;
  }
  if (node.kind != YamlNode::Kind::kSequence) {
    return stuck(shown(key) + " needs a list, but the value there is " + std::string(kind_name(node.kind)));
  }
  if (index > node.items.size()) {
    return stuck("the list has " + std::to_string(node.items.size()) + " items, an index up to " +
                 std::to_string(node.items.size()) + " is allowed");
  }
  if (index == node.items.size()) {
    node.items.emplace_back();
    node.items.back().mark = mark;
  }
  return {&node.items[index], *rest, {}};
}

// Names may contain dots, so choose the longest name that matches.
Step into_named_item(YamlNode& list, std::string_view key) {
  Step best;
  std::size_t best_length = 0;
  std::string names;
  for (YamlNode& item : list.items) {
    const YamlNode* name = item.find("name");
    if (name == nullptr || name->kind != YamlNode::Kind::kScalar || name->text.empty()) continue;
    names += (names.empty() ? "" : ", ") + shown(name->text);
    if (!key.starts_with(name->text) || name->text.size() <= best_length) continue;
    const std::string_view after = key.substr(name->text.size());
    if (!after.empty() && after.front() != '.') continue;
    const auto rest = after_segment(after);
    if (!rest.has_value()) continue;
    best = {&item, *rest, {}};
    best_length = name->text.size();
  }
  if (best.node != nullptr) return best;
  return stuck(shown(key) + " names no item of the list, allowed: [N]" + (names.empty() ? "" : " or one of " + names));
}

Step into_key(YamlNode& node, std::string_view key, const YamlMark& mark) {
  const std::size_t length = std::min(key.find_first_of(".["), key.size());
  const std::string_view name = key.substr(0, length);
  const auto rest = after_segment(key.substr(length));
  if (name.empty() || !rest.has_value()) return stuck("an empty name in the key" + std::string(kForms));
  if (node.kind == YamlNode::Kind::kNull) {
    node = YamlNode::map();
    node.mark = mark;
  }
  if (node.kind != YamlNode::Kind::kMap) {
    return stuck(shown(name) + " needs a map of keys, but the value above it is " + std::string(kind_name(node.kind)));
  }
  if (YamlNode* found = node.find(name)) return {found, *rest, {}};
  YamlNode nothing;
  nothing.mark = mark;
  return {&node.add({std::string(name), mark}, std::move(nothing)), *rest, {}};
}

}  // namespace

std::optional<std::string> set_value(YamlNode& root, std::string_view key, YamlNode value) {
  if (key.empty()) return "the key is empty" + std::string(kForms);
  const YamlMark mark = value.mark;
  YamlNode changed = root;
  YamlNode* node = &changed;
  std::string_view rest = key;
  for (std::size_t depth = 0; !rest.empty(); ++depth) {
    if (depth >= kMaxYamlDepth) return "too many names, allowed: " + std::to_string(kMaxYamlDepth);
    Step step;
    if (rest.front() == '[') {
      step = into_index(*node, rest, mark);
    } else if (node->kind == YamlNode::Kind::kSequence) {
      step = into_named_item(*node, rest);
    } else {
      step = into_key(*node, rest, mark);
    }
    if (step.node == nullptr) return std::move(step.problem);
    node = step.node;
    rest = step.rest;
  }
  *node = std::move(value);
  root = std::move(changed);
  return std::nullopt;
}

}  // namespace yolod::common
