#include "model/checkpoint/pickle.hpp"

#include <array>
#include <catch2/catch.hpp>

#include "tests/unit/model/checkpoint_files.hpp"

using namespace yolod::model::checkpoint;
using namespace yolod::tests;
using namespace std::string_literals;
using Catch::Matchers::Contains;

namespace {

constexpr std::array<std::string_view, 2> kNames{"collections.OrderedDict", "torch.FloatStorage"};

// Holds a parsed pickle and the bytes that it refers to.
class Parsed {
 public:
  explicit Parsed(std::string bytes) : bytes_(std::move(bytes)) {
    auto pickle = read_pickle(bytes_, kNames);
    INFO((pickle ? std::string() : pickle.error().message));
    REQUIRE(pickle.ok());
    pickle_ = std::move(pickle).value();
  }
  Parsed(const Parsed&) = delete;
  Parsed& operator=(const Parsed&) = delete;

  [[nodiscard]] const Value& at(ValueId id) const { return pickle_.at(id); }
  [[nodiscard]] const Value& root_value() const { return pickle_.root_value(); }
  [[nodiscard]] ValueId root() const { return pickle_.root; }

 private:
  std::string bytes_;
  Pickle pickle_;
};

std::string pickle_problem(std::string_view bytes) {
  const auto pickle = read_pickle(bytes, kNames);
  if (pickle) return "";
  CHECK(pickle.error().code == yolod::common::ErrorCode::kBadModel);
  CHECK(pickle.error().message.find('\n') == std::string::npos);
  return pickle.error().message;
}

}  // namespace

TEST_CASE("Pickle: plain values of every size are read", "[model][unit]") {
  CHECK(Parsed("\x80\x02N.").root_value().kind == ValueKind::kNone);
  CHECK(Parsed("\x80\x02\x88.").root_value().integer == 1);
  CHECK(Parsed("\x80\x02\x89.").root_value().kind == ValueKind::kBool);
  CHECK(Parsed(pickled(integer(-7))).root_value().integer == -7);
  CHECK(Parsed("\x80\x02K\xFF.").root_value().integer == 255);
  CHECK(Parsed("\x80\x02M\xFF\xFF.").root_value().integer == 65535);
  CHECK(Parsed("\x80\x02\x8A\x02\x00\xFF."s).root_value().integer == -256);
  CHECK(Parsed("\x80\x02\x8A\x00."s).root_value().integer == 0);
  CHECK(Parsed("\x80\x02\x8A\x08\x00\x00\x00\x00\x00\x00\x00\x80."s).root_value().integer == INT64_MIN);
  CHECK(Parsed("\x80\x02\x8A\x09"s + std::string(9, 'x') + ".").root_value().kind == ValueKind::kBigInteger);
  CHECK(Parsed("\x80\x02G\x3F\xF8\x00\x00\x00\x00\x00\x00."s).root_value().number == 1.5);
  CHECK(Parsed(pickled(text("h\xC3\xA9"))).root_value().text == "h\xC3\xA9");
  CHECK(Parsed("\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8C\x02hi."s).root_value().text == "hi");
  CHECK(Parsed("\x80\x03"
               "C\x02hi.")
            .root_value()
            .kind == ValueKind::kBytes);
}

TEST_CASE("Pickle: containers hold their items in order", "[model][unit]") {
  const Parsed list(
      "\x80\x02](K\x01K\x02"
      "eK\x03"
      "a.");
  REQUIRE(list.root_value().kind == ValueKind::kList);
  REQUIRE(list.root_value().items.size() == 3);
  CHECK(list.at(list.root_value().items[2]).integer == 3);

  const Parsed dict(pickled("}(" + text("a") + "K\x01" + text("b") + "K\x02u" + text("c") + "K\x03s"));
  REQUIRE(dict.root_value().items.size() == 6);
  CHECK(dict.at(dict.root_value().items[4]).text == "c");
  CHECK(dict.at(dict.root_value().items[5]).integer == 3);

  CHECK(Parsed("\x80\x02K\x01K\x02\x86.").root_value().items.size() == 2);
  CHECK(Parsed("\x80\x04\x8F(K\x01K\x02\x90.").root_value().kind == ValueKind::kSet);
}

TEST_CASE("Pickle: a memoized value is shared and may contain itself", "[model][unit]") {
  const Parsed shared("\x80\x02]q\x00h\x00\x86."s);
  CHECK(shared.root_value().items[0] == shared.root_value().items[1]);
  const Parsed endless(
      "\x80\x02]q\x00h\x00"
      "a."s);
  CHECK(endless.root_value().items == std::vector<ValueId>{endless.root()});
  CHECK(Parsed("\x80\x04]\x94h\x00\x86."s).root_value().items.size() == 2);
}

TEST_CASE("Pickle: an ordered dictionary is a call with items, and the parser ignores its state", "[model][unit]") {
  const Parsed dict(pickled(global("collections", "OrderedDict") + ")R" + text("a") + "K\x01s}b"));
  const auto& value = dict.root_value();
  REQUIRE(value.kind == ValueKind::kCall);
  REQUIRE(value.items.size() == 4);
  CHECK(dict.at(value.items[0]).text == "collections.OrderedDict");
  CHECK(dict.at(value.items[3]).integer == 1);
}

TEST_CASE("Pickle: a forbidden name is an error that contains the name, for both opcodes that load names",
          "[model][unit]") {
  const auto system = pickled(global("os", "system") + tuple(text("true")) + "R");
  CHECK_THAT(pickle_problem(system), Contains("the Python object os.system"));
  CHECK_THAT(pickle_problem("\x80\x04" + text("builtins") + text("eval") + "\x93."), Contains("builtins.eval"));
  CHECK_THAT(pickle_problem(pickled(global("a\x1B[2J", "b"))), Contains("a\\x1b[2J.b"));
  CHECK_THAT(pickle_problem(pickled(global(std::string(300, 'a'), "b"))), Contains("more than 200 bytes"));
  CHECK(pickle_problem(pickled(global("torch", "FloatStorage"))).empty());
}

TEST_CASE("Pickle: an invalid instruction is an error with its place", "[model][unit]") {
  CHECK_THAT(pickle_problem(""), Contains("cut short (at byte 0"));
  CHECK_THAT(pickle_problem("\x80\x02K"), Contains("cut short (at byte 2"));
  CHECK_THAT(pickle_problem("\x80\x02X\xFF\xFF\xFF\xFF"
                            "abc"),
             Contains("cut short"));
  CHECK_THAT(pickle_problem("\x80\x04\x8D\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
                            "abc"),
             Contains("cut short"));
  CHECK_THAT(pickle_problem("\x80\x02"
                            "ctorch\nFloat"),
             Contains("cut short"));
  CHECK_THAT(pickle_problem("\x80\x02."), Contains("empty stack"));
  CHECK_THAT(pickle_problem("\x80\x02K\x01\x86."), Contains("empty stack"));
  CHECK_THAT(pickle_problem("\x80\x02K\x01(0a."), Contains("empty stack"));
  CHECK_THAT(pickle_problem("\x80\x02t."), Contains("a mark that it never set"));
  CHECK_THAT(pickle_problem("\x80\x02h\x05."), Contains("never remembered"));
  CHECK_THAT(pickle_problem("\x80\x02K\x01K\x02"
                            "a."),
             Contains("what holds none"));
  CHECK_THAT(pickle_problem("\x80\x02}(K\x01u."), Contains("a key without a value"));
  CHECK_THAT(pickle_problem("\x80\x02)K\x01R."), Contains("calls what is no name"));
  CHECK_THAT(pickle_problem(pickled(global("torch", "FloatStorage") + "K\x01R")), Contains("no tuple"));
  CHECK_THAT(pickle_problem("\x80\x04K\x01K\x02\x93."), Contains("a name that is no text"));
  CHECK_THAT(pickle_problem("\x80\x07N."), Contains("protocol 7"));
  CHECK_THAT(pickle_problem("\x80\x02I1\n."), Contains("opcode 0x49"));
}

TEST_CASE("Pickle: small files cannot make the parser allocate much memory", "[model][unit]") {
  CHECK_THAT(pickle_problem("\x80\x02" + std::string(600'000, 'N')), Contains("more than 500000 values"));
  CHECK_THAT(pickle_problem("\x80\x02N" + std::string(600'000, '2')), Contains("stack grows too deep"));
  CHECK_THAT(pickle_problem("\x80\x02" + std::string(600'000, '(')), Contains("stack grows too deep"));
  // The nesting may have any depth, because the parser does not recurse.
  const std::string deep = "\x80\x02)" + std::string(400'000, '\x85') + ".";
  CHECK(pickle_problem(deep).empty());
}
