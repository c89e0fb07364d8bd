#include "common/config/yaml.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "common/config/schema.hpp"

namespace yolod::common {
namespace {

using namespace std::string_literals;

YamlNode tree_of(const std::string& text) {
  auto parsed = parse_yaml(text, 0);
  if (const auto* fault = std::get_if<YamlFault>(&parsed)) FAIL(fault->message);
  return std::get<YamlNode>(std::move(parsed));
}

YamlFault fault_of(const std::string& text) {
  auto parsed = parse_yaml(text, 0);
  if (!std::holds_alternative<YamlFault>(parsed)) FAIL("no fault in: " + text.substr(0, 100));
  return std::get<YamlFault>(std::move(parsed));
}

bool same_tree(const YamlNode& a, const YamlNode& b) {
  if (a.kind != b.kind || a.quoted != b.quoted || a.text != b.text || a.items.size() != b.items.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (a.kind == YamlNode::Kind::kMap && a.keys[i].text != b.keys[i].text) return false;
    if (!same_tree(a.items[i], b.items[i])) return false;
  }
  return true;
}

TEST_CASE("Config YAML: every node and key knows its line and column", "[common][unit]") {
  const YamlNode root = tree_of("a: 1\nbb:\n  - x\n  - {c: \"y\"}\n");
  REQUIRE(root.kind == YamlNode::Kind::kMap);
  CHECK(root.keys[1].mark == YamlMark{0, 2, 1});
  CHECK(root.find("a")->mark == YamlMark{0, 1, 4});
  CHECK(root.find("bb")->items[0].mark == YamlMark{0, 3, 5});
  const YamlNode& c = *root.find("bb")->items[1].find("c");
  CHECK(c.mark == YamlMark{0, 4, 9});
  CHECK(c.quoted);
  CHECK_FALSE(root.find("a")->quoted);
  CHECK(root.find("absent") == nullptr);
  CHECK(root.find("a")->find("b") == nullptr);
}

TEST_CASE("Config YAML: an empty text has no tree", "[common][unit]") {
  for (const char* text : {"", "\n\n", "# a comment\n", "---\n", "~"}) {
    INFO(text);
    CHECK(tree_of(text).kind == YamlNode::Kind::kNull);
  }
}

TEST_CASE("Config YAML: repeated keys are kept for the reader to report", "[common][unit]") {
  const YamlNode root = tree_of("a: 1\na: 2\n");
  REQUIRE(root.items.size() == 2);
  CHECK(root.find("a")->text == "1");
}

TEST_CASE("Config YAML: an alias is a copy of the anchored node", "[common][unit]") {
  const YamlNode root = tree_of("a: &x {k: [1, 2]}\nb: *x\n");
  CHECK(same_tree(*root.find("a"), *root.find("b")));
}

TEST_CASE("Config YAML: a syntax error has its line and column", "[common][unit]") {
  const YamlFault fault = fault_of("a: 1\nb: [1, 2\nc: }\n");
  CHECK(fault.mark.line >= 2);
  CHECK(fault.mark.column >= 1);
  CHECK_FALSE(fault.message.empty());
}

TEST_CASE("Config YAML: unknown aliases, aliases to themselves, tags and keys that are not text are faults",
          "[common][unit]") {
  fault_of("a: *nowhere");
  fault_of("&a [1, *a]");
  fault_of("&a {k: *a}");
  fault_of("a: !!python/object x");
  fault_of("a: !local [1]");
  fault_of("[1, 2]: x");
  fault_of("{a: b}: x");
  fault_of("~: x");
}

TEST_CASE("Config YAML: a second document is a fault at its place", "[common][unit]") {
  const YamlFault fault = fault_of("a: 1\n---\nb: 2\n");
  CHECK(fault.mark.line >= 2);
  CHECK(fault.message.find("second document") != std::string::npos);
}

TEST_CASE("Config YAML: bytes that are not text are faults at their place", "[common][unit]") {
  CHECK(fault_of("a: 1\nb: \x01\n").mark == YamlMark{0, 2, 4});
  CHECK(fault_of("a: \0 b"s).mark == YamlMark{0, 1, 4});
  CHECK(fault_of("a: 1\n\x04 b: 2").mark == YamlMark{0, 2, 1});
  CHECK(fault_of("a: \xFF").mark == YamlMark{0, 1, 4});
  fault_of(
      "\xFF\xFE"
      "a\0"s);  // UTF-16
}

TEST_CASE("Config YAML: text of 1 MiB is read, and a byte more is refused", "[common][unit]") {
  std::string text(kMaxYamlBytes, '#');
  CHECK(tree_of(text).kind == YamlNode::Kind::kNull);
  text += '#';
  CHECK(fault_of(text).message.find("1 MiB") != std::string::npos);
}

TEST_CASE("Config YAML: 64 levels are read, and a level more is refused", "[common][unit]") {
  CHECK(tree_of(std::string(64, '[') + std::string(64, ']')).kind == YamlNode::Kind::kSequence);
  CHECK(fault_of(std::string(65, '[') + std::string(65, ']')).message.find("64") != std::string::npos);
}

TEST_CASE("Config YAML: hostile nesting is refused, however it is written", "[common][unit]") {
  fault_of(std::string(1'000'000, '['));
  fault_of(std::string(1'000'000, '{'));
  std::string lists;
  std::string maps;
  std::string questions;
  for (int i = 0; i < 5000; ++i) {
    lists += "- ";
    questions += "? ";
    maps += "{a: ";
  }
  fault_of(lists);
  fault_of(questions);
  fault_of(maps);
  std::string aliases = "a0: &a0 [x]\n";
  for (int i = 1; i < 100; ++i) {
    aliases += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  CHECK(fault_of(aliases).message.find("nested") != std::string::npos);
}

TEST_CASE("Config YAML: a billion laughs are refused", "[common][unit]") {
  std::string text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 8; ++j) text += ", " + before;
    text += "]\n";
  }
  CHECK(fault_of(text).message.find("too many values") != std::string::npos);
}

TEST_CASE("Config YAML: nested anchors over a large list are refused, because each would copy the list",
          "[common][unit]") {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "&a" + std::to_string(i) + " [";
  for (int i = 0; i < 90'000; ++i) text += "1,";
  text += std::string(60, ']');
  CHECK(fault_of(text).message.find("too many values") != std::string::npos);
}

TEST_CASE("Config YAML: written text reads as the same tree", "[common][unit]") {
  YamlNode root = YamlNode::map();
  root.add({"number", {}}, YamlNode::plain("0.25"));
  root.add({"text", {}}, YamlNode::string("a: \"b\" \\ # {}[]\t\x01 \xC3\xA9 'x' %&*!|>-?"));
  root.add({"empty", {}}, YamlNode::string(""));
  root.add({"null_word", {}}, YamlNode::string("~"));
  root.add({"nothing", {}}, YamlNode());
  root.add({"empty_list", {}}, YamlNode::sequence());
  root.add({"empty_map", {}}, YamlNode::map());
  YamlNode list = YamlNode::sequence();
  list.items.push_back(YamlNode::string("x, y"));
  list.items.push_back(YamlNode::plain("7"));
  YamlNode inner = YamlNode::map();
  inner.add({"key", {}}, YamlNode::string("v"));
  list.items.push_back(inner);
  inner.add({"list", {}}, list);
  root.add({"map", {}}, inner);
  CHECK(same_tree(root, tree_of(to_yaml(root))));
  CHECK(same_tree(YamlNode(), tree_of(to_yaml(YamlNode()))));
  CHECK(same_tree(list, tree_of(to_yaml(list))));
}

TEST_CASE("Config YAML: a list of maps is written with a block for each item, and read back", "[common][unit]") {
  YamlNode item = YamlNode::map();
  item.add({"name", {}}, YamlNode::string("a"));
  YamlNode inner = YamlNode::sequence();
  inner.items = {item, item};
  YamlNode first = item;
  first.add({"parts", {}}, inner);
  YamlNode list = YamlNode::sequence();
  list.items = {first, item};
  YamlNode root = YamlNode::map();
  root.add({"models", {}}, list);
  const auto text = to_yaml(root);
  CHECK(text == "models:\n  - name: \"a\"\n    parts:\n      - name: \"a\"\n      - name: \"a\"\n  - name: \"a\"\n");
  CHECK(same_tree(root, tree_of(text)));
}

// The seed is fixed, so that a failure repeats with the same text.
TEST_CASE("Config YAML: no mutation of a config makes the parser throw or crash", "[common][unit]") {
  const std::string original =
      "server: {listen: [127.0.0.1:8080, \"[::1]:80\"], tls: {key: 'x'}}\n"
      "models:\n  - &m\n    name: a\n    identity: {delay: 5ms}\n    preprocess: {scale: 1/255, std: [1, 1, 1]}\n"
      "  - *m\ndefault_model: |\n  a\n";
  const std::string pieces = "[]{}&*!|>'\"%@`#,:?-~ \n\t<=\\ax0\xC3\xA9";
  std::mt19937 random(20'240'611);
  const auto below = [&random](std::size_t limit) { return random() % limit; };
  for (int round = 0; round < 5000; ++round) {
    std::string text = original;
    for (std::size_t edits = 1 + below(8); edits > 0; --edits) {
      const std::size_t at = below(text.size());
      switch (below(4)) {
        case 0: text.erase(at, 1 + below(5)); break;
        case 1: text.insert(at, 1, pieces[below(pieces.size())]); break;
        case 2: text[at] = pieces[below(pieces.size())]; break;
        default: text.insert(at, text.substr(below(text.size()), below(30))); break;
      }
      if (text.empty()) text = "a";
    }
    INFO(text);
    const ConfigOutcome outcome = parse_config(text, "f", "/d");
    CHECK(outcome.config.has_value() == outcome.problems.empty());
  }
}

TEST_CASE("Config YAML: for a file that is not YAML, the error says what the file holds and how to write it",
          "[common][unit]") {
  struct Case {
    std::string text;
    int line;
    std::string part;
  };
  const std::vector<Case> cases{
      {"server:\n\tlisten: [a]\n", 2, "begins with a tab"},
      {"server:\n  a: 1\n \tb: 2\n", 3, "begins with a tab"},
      {"server:\n  listen: [::1]:8080\n", 2, "needs quotes: \"[::1]:8080\""},
      {"server:\n  listen:\n    - [fe80::1]:80\n", 3, "needs quotes: \"[fe80::1]:80\""},
      {"server: {listen: [[::1]:8080]}\n", 1, "needs quotes: \"[::1]:8080\""},
      {"server: {listen: [\"[::1]:80\", [::2]:81]}\n", 1, "needs quotes: \"[::2]:81\""},
      {"a: *:8080\n", 1, "every address is 0.0.0.0"},
      {"a: @b\n", 1, "text that begins with @ needs quotes"},
      {"a: `b\n", 1, "text that begins with ` needs quotes"},
      {"a: b: c\n", 1, "second colon"},
      {"a: 1\n  b: 2\n", 2, "indented further"},
      {"a: - b\n", 1, "a line of its own"},
      {"a: [b, c\n", 2, "has no ]"},
      {"a: {b: c\n", 2, "has no }"},
      {"a:\n  - b\n  c: d\n", 3, "check the indentation"},
  };
  for (const auto& [text, line, part] : cases) {
    CAPTURE(text);
    const auto fault = fault_of(text);
    CAPTURE(fault.message);
    CHECK(fault.mark.line == line);
    CHECK(fault.message.find(part) != std::string::npos);
    CHECK(fault.message.find('\n') == std::string::npos);
  }
}

TEST_CASE("Config: a problem of the whole config has its place, and comes in the order of the file", "[common][unit]") {
  const ConfigCheck check = [](const Config& config) {
    std::vector<KeyProblem> problems{{"server.tls", "no TLS"}, {"server.api_keys_file", "no keys"}};
    for (std::size_t i = 0; i < config.models.size(); ++i) {
      problems.push_back({"models[" + std::to_string(i) + "].detect.augment", "no augment"});
    }
    return problems;
  };
  const std::string text =
      "models:\n"
      "  - name: a\n"
      "    identity: {}\n"
      "    detect: {augment: true}\n"
      "  - name: b\n"
      "    identity: {}\n"
      "    workers: none\n"
      "server:\n"
      "  tls: {certificate: c, key: k}\n"
      "  api_keys_file: keys\n";
  const auto outcome = parse_config(text, "s.yaml", "/", {}, check);
  CHECK_FALSE(outcome.config);
  std::vector<std::string> told;
  for (const auto& problem : outcome.problems) told.push_back(to_string(problem));
  REQUIRE(told.size() == 5);
  CHECK(told[0] == "s.yaml:4:23: models[0].detect.augment: no augment");
  CHECK(told[1] == "s.yaml:5:5: models[1].detect.augment: no augment");
  CHECK(told[2].starts_with("s.yaml:7:14: models[1].workers: "));
  CHECK(told[3] == "s.yaml:9:8: server.tls: no TLS");
  CHECK(told[4] == "s.yaml:10:18: server.api_keys_file: no keys");
  SECTION("of a --set by that") {
    const auto set = parse_config(text, "s.yaml", "/", {"models.a.detect.augment=true"}, check);
    REQUIRE(set.problems.size() == 5);
    CHECK(to_string(set.problems[4]) == "--set models.a.detect.augment=true: models[0].detect.augment: no augment");
  }
  SECTION("of the short form by its section") {
    const auto brief = parse_config("workers:\n  model_path: {cfg: a.cfg, weights: b.weights, names: c.names}\n",
                                    "s.yaml", "/", {}, check);
    REQUIRE(brief.problems.size() == 3);
    CHECK(to_string(brief.problems[2]) == "s.yaml:2:3: models[0].detect.augment: no augment");
  }
}

}  // namespace
}  // namespace yolod::common
