#include "model/darknet/cfg.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>

using namespace yolod::model::darknet;
using Catch::Matchers::Contains;

namespace {

std::string cfg_problem(std::string_view text) {
  const auto cfg = parse_cfg(text, "a.cfg");
  return cfg ? "" : cfg.error().message;
}

const Cfg& section(Cfg& cfg, std::vector<CfgOption> options) {
  cfg = {"a.cfg", {{"yolo", 7, std::move(options)}}};
  return cfg;
}

}  // namespace

TEST_CASE("Cfg: the parser returns sections, options and line numbers", "[model][unit]") {
  const auto cfg = parse_cfg("# a comment\n[net]\nwidth = 416\r\n\n;another\n[yolo]\nmask=0, 1 # two\n", "a.cfg");
  REQUIRE(cfg.ok());
  REQUIRE(cfg->sections.size() == 2);
  CHECK(cfg->sections[0].type == "net");
  CHECK(cfg->sections[0].line == 2);
  REQUIRE(cfg->sections[0].options.size() == 1);
  CHECK(cfg->sections[0].options[0].key == "width");
  CHECK(cfg->sections[0].options[0].value == "416");
  CHECK(cfg->sections[0].options[0].line == 3);
  CHECK(cfg->sections[1].line == 6);
  CHECK(cfg->sections[1].options[0].value == "0,1");
}

TEST_CASE("Cfg: the last line needs no newline, and a byte order mark is skipped", "[model][unit]") {
  const auto cfg = parse_cfg("\xEF\xBB\xBF[net]\nwidth=1", "a.cfg");
  REQUIRE(cfg.ok());
  CHECK(cfg->sections[0].options[0].value == "1");
}

TEST_CASE("Cfg: blanks are ignored everywhere, as in Darknet", "[model][unit]") {
  const auto cfg = parse_cfg("[ net ]\n width = 4 16\t\nanchors = 1 ,2  3, 4\n", "a.cfg");
  REQUIRE(cfg.ok());
  CHECK(cfg->sections[0].type == "net");
  CHECK(cfg->sections[0].options[0].value == "416");
  CHECK(cfg->sections[0].options[1].value == "1,23,4");
}

TEST_CASE("Cfg: the error for a file that is not a cfg is one line with its place", "[model][unit]") {
  using namespace std::string_view_literals;
  CHECK(cfg_problem("") == "a.cfg: no [section] in it: this is not a cfg");
  CHECK(cfg_problem("width=1\n[net]\n") == "a.cfg:1: an option before the first [section]");
  CHECK(cfg_problem("width\n[net]\n") == "a.cfg:1: \"width\" is neither [section] nor key=value");
  CHECK(cfg_problem("[net\n") == "a.cfg:1: \"[net\" has no closing ]");
  CHECK_THAT(cfg_problem("[net]\na\0b=1\n"sv), Contains("a.cfg:2: a NUL byte"));
  CHECK_THAT(cfg_problem("\x1b[31mred\n[net]\n"), Contains("a.cfg:1: ") && !Contains("\x1b"));
}

TEST_CASE("Cfg: a comment begins with a hash sign, a semicolon or two slashes, and may follow a value",
          "[model][unit]") {
  const auto cfg = parse_cfg(
      "// made by hand\n; more\n[net] # the input\nwidth=30 ; x\nheight = 40 // y\nchannels=3# z\n // width=9\n"
      "steps=1,2, // and more\n",
      "a.cfg");
  REQUIRE(cfg.ok());
  CHECK(cfg->warnings.empty());
  REQUIRE(cfg->sections.size() == 1);
  const auto& options = cfg->sections[0].options;
  REQUIRE(options.size() == 4);
  CHECK(options[0].value == "30");
  CHECK(options[1].value == "40");
  CHECK(options[2].value == "3");
  CHECK(options[3].value == "1,2,");
}

TEST_CASE("Cfg: a line without a value causes a warning and is ignored, as in Darknet", "[model][unit]") {
  const auto cfg = parse_cfg("[net]\n Training\nwidth=30\nheight=\nheight=40\n[yolo]\n\x1b[31mred\n", "a.cfg");
  REQUIRE(cfg.ok());
  CHECK(cfg->warnings ==
        std::vector<std::string>{"a.cfg:2: [net]: \"Training\" is neither [section] nor key=value and is passed over",
                                 "a.cfg:4: [net]: height has no value and is passed over",
                                 "a.cfg:7: [yolo]: \"\\x1b[31mred\" is neither [section] nor key=value and is passed "
                                 "over"});
  REQUIRE(cfg->sections[0].options.size() == 2);
  CHECK(cfg->sections[0].options[1].value == "40");
  std::string many = "[net]\n";
  for (int i = 0; i < 1000; ++i) many += "word\n";
  CHECK(parse_cfg(many, "a.cfg")->warnings.size() == kMaxCfgWarnings);
}

TEST_CASE("Cfg: the sizes of a cfg are limited", "[model][unit]") {
  CHECK_THAT(cfg_problem(std::string(kMaxCfgBytes + 1, '#')), Contains("at most"));
  CHECK_THAT(cfg_problem("[net]\n" + std::string(70'000, 'x')), Contains("a line of"));
  std::string many;
  for (int i = 0; i < 5'000; ++i) many += "[x]\n";
  CHECK_THAT(cfg_problem(many), Contains("more than 4000 sections"));
  std::string options = "[net]\n";
  for (int i = 0; i < 300; ++i) options += "a=1\n";
  CHECK_THAT(cfg_problem(options), Contains("more than 256 options in [net]"));
}

TEST_CASE("Cfg: random bytes never crash the parser", "[model][unit]") {
  std::mt19937 random(1);
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    const auto length = random() % 200;
    constexpr std::string_view kLikely = "[]=#;\n\n,-.09netyolo \0\xff";
    for (std::size_t i = 0; i < length; ++i) text += kLikely[random() % kLikely.size()];
    const auto cfg = parse_cfg(text, "a.cfg");
    if (!cfg) CHECK(cfg.error().message.find('\n') == std::string::npos);
  }
}

TEST_CASE("OptionReader: an option has its value or the default, and the first of two values counts", "[model][unit]") {
  Cfg cfg;
  section(cfg, {{"a", "3", 8}, {"a", "4", 9}, {"b", "+0.5", 10}, {"c", "1, 2,-3,", 11}, {"d", "x", 12}});
  OptionReader options(cfg, cfg.sections[0]);
  CHECK(options.integer("a", 0, 0, 10) == 3);
  CHECK(options.integer("absent", 7, 0, 10) == 7);
  CHECK(options.number("b", 0, 0, 1) == 0.5F);
  CHECK(options.text("d", "y") == "x");
  CHECK(options.integers("absent", 4, 0, 9).empty());
  CHECK_FALSE(options.error());
}

TEST_CASE("OptionReader: the first problem is kept, with its line and section", "[model][unit]") {
  Cfg cfg;
  section(cfg, {{"a", "3x", 8}, {"b", "99", 9}});
  OptionReader options(cfg, cfg.sections[0]);
  CHECK(options.integer("a", 5, 0, 10) == 5);
  CHECK(options.integer("b", 5, 0, 10) == 5);
  REQUIRE(options.error());
  CHECK(options.error()->code == yolod::common::ErrorCode::kBadModel);
  CHECK(options.error()->message == "a.cfg:8: [yolo]: a: \"3x\" is not a whole number, 0 to 10 is allowed");
}

TEST_CASE("OptionReader: numbers that overflow, are not finite or out of range are refused", "[model][unit]") {
  const auto* value = GENERATE("99999999999999999999", "-1", "11", "", "nan", "inf", "1e999");
  Cfg cfg;
  section(cfg, {{"a", value, 8}});
  OptionReader integers(cfg, cfg.sections[0]);
  (void)integers.integer("a", 5, 0, 10);
  CHECK(integers.error());
  OptionReader numbers(cfg, cfg.sections[0]);
  (void)numbers.number("a", 5, 0, 10);
  CHECK(numbers.error());
}

TEST_CASE("OptionReader: the length of a list is limited", "[model][unit]") {
  Cfg cfg;
  section(cfg, {{"a", "1,2,3", 8}, {"b", "1,,2", 9}});
  OptionReader options(cfg, cfg.sections[0]);
  CHECK(options.integers("a", 3, 0, 9) == std::vector<int>{1, 2, 3});
  CHECK(options.integers("a", 2, 0, 9).empty());
  CHECK_THAT(options.error()->message, Contains("3 values, at most 2 are allowed"));
}

TEST_CASE("OptionReader: refuse_if_set accepts 0 and an absent option", "[model][unit]") {
  Cfg cfg;
  section(cfg, {{"zero", "0", 8}, {"one", "1", 9}});
  OptionReader options(cfg, cfg.sections[0]);
  options.refuse_if_set("zero");
  options.refuse_if_set("absent");
  CHECK_FALSE(options.error());
  options.refuse_if_set("one");
  CHECK(options.error()->message == "a.cfg:9: [yolo]: one: \"1\" is not supported, only 0 is");
}
