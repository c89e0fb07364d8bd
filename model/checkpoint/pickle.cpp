#include "model/checkpoint/pickle.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <unordered_map>
#include <utility>

#include "common/text.hpp"
#include "model/bad_model.hpp"
#include "model/checkpoint/source.hpp"

namespace yolod::model::checkpoint {
namespace {

using common::Error;
using common::Outcome;

// A checkpoint with a thousand layers and its optimizer has about 60,000 values.
constexpr std::size_t kMaxValues = 500'000;
constexpr std::size_t kMaxGlobalBytes = 200;

// The opcodes of pickletools that torch.save may write.
enum Opcode : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kDict = 'd',
  kEmptyDict = '}',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kList = 'l',
  kEmptyList = ']',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kBinFloat = 'G',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
  kByteArray8 = 0x96,
};

std::string hex(std::uint8_t byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return std::string("0x") + kDigits[byte >> 4U] + kDigits[byte & 15U];
}

// Reads a pickle's stack operations without executing anything. It keeps the first problem, which ends the reading.
// The class has a function for each group of opcodes.
class Reader {
 public:
  Reader(std::string_view bytes, std::span<const std::string_view> allowed) : bytes_(bytes), allowed_(allowed) {}

  Outcome<Pickle> run() {
    bool stopped = false;
    while (!stopped && !problem_) {
      opcode_at_ = at_;
      const auto opcode = static_cast<std::uint8_t>(take(1).empty() ? 0 : bytes_[at_ - 1]);
      if (problem_) break;
      if (opcode == kStop) {
        stopped = true;
      } else {
        step(opcode);
      }
    }
    if (!problem_) pickle_.root = pop();
    if (problem_) return *problem_;
    pickle_.size_bytes = at_;
    return std::move(pickle_);
  }

 private:
  void fail(const std::string& what) {
    if (!problem_) problem_ = bad_model(what + " (at byte " + std::to_string(opcode_at_) + " of its pickle)");
  }

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) {
      fail("the pickle is cut short");
      at_ = bytes_.size();
      return {};
    }
    const auto taken = bytes_.substr(at_, static_cast<std::size_t>(count));
    at_ += static_cast<std::size_t>(count);
    return taken;
  }

  std::uint64_t number(std::size_t byte_count) {
    const auto taken = take(byte_count);
    return taken.empty() ? 0 : little_endian(std::as_bytes(std::span(taken)), byte_count);
  }

  std::string_view line() {
    const auto end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) {
      (void)take(bytes_.size() - at_ + 1);
      return {};
    }
    const auto text = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return text;
  }

  ValueId add(Value value) {
    if (pickle_.values.size() == kMaxValues) {
      fail("more than " + std::to_string(kMaxValues) + " values");
      return 0;
    }
    pickle_.values.push_back(std::move(value));
    return static_cast<ValueId>(pickle_.values.size() - 1);
  }

  // Every opcode that grows the stack without making a value (DUP, GET, MARK) also calls this, so its limit covers
  // them.
  void push(ValueId id) {
    if (stack_.size() == kMaxValues) return fail("its stack grows too deep");
    stack_.push_back(id);
  }
  void push_value(Value value) { push(add(std::move(value))); }
  void push_kind(ValueKind kind, std::vector<ValueId> items = {}) { push_value({kind, 0, 0, {}, std::move(items)}); }
  void push_text(ValueKind kind, std::string_view text) { push_value({kind, 0, 0, text, {}}); }
  void push_integer(std::int64_t integer, ValueKind kind = ValueKind::kInteger) {
    push_value({kind, integer, 0, {}, {}});
  }

  // Values below the last mark must not be popped.
  [[nodiscard]] std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  ValueId pop() {
    if (stack_.size() <= floor()) {
      fail("it takes a value from an empty stack");
      return 0;
    }
    const auto id = stack_.back();
    stack_.pop_back();
    return id;
  }

  std::vector<ValueId> pop_to_mark() {
    if (marks_.empty()) {
      fail("it takes values back to a mark that it never set");
      return {};
    }
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<ValueId> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }

  // Puts the items into the value that is now on top of the stack.
  void extend(std::vector<ValueId> items, ValueKind into) {
    if (stack_.size() <= floor()) return fail("it takes a value from an empty stack");
    if (problem_) return;
    auto& target = pickle_.values[stack_.back()];
    if (target.kind != into && target.kind != ValueKind::kCall) return fail("it puts items into what holds none");
    if (into == ValueKind::kDict && items.size() % 2 != 0) return fail("a key without a value");
    target.items.insert(target.items.end(), items.begin(), items.end());
  }

  void remember(std::uint64_t key) {
    if (stack_.size() <= floor()) return fail("it remembers a value of an empty stack");
    if (memo_.size() == kMaxValues) return fail("its memo grows too large");
    memo_[key] = stack_.back();
  }

  void recall(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) return fail("it recalls a value that it never remembered");
    push(found->second);
  }

  void global(std::string_view module, std::string_view name) {
    if (problem_) return;
    if (module.size() + name.size() > kMaxGlobalBytes) return fail("a name of more than 200 bytes");
    const auto full = std::string(module) + "." + std::string(name);
    const auto known = std::find(allowed_.begin(), allowed_.end(), full);
    if (known == allowed_.end()) {
      return fail("it needs the Python object " + common::printable(full) +
                  ", but yolod runs no code: it reads tensors and plain containers, as in model.state_dict()");
    }
    push_text(ValueKind::kGlobal, *known);
  }

  void stack_global() {
    const auto name = pop();
    const auto module = pop();
    if (problem_) return;
    const auto& values = pickle_.values;
    if (values[name].kind != ValueKind::kText || values[module].kind != ValueKind::kText)
      return fail("a name that is no text");
    global(values[module].text, values[name].text);
  }

  void call() {
    const auto arguments = pop();
    const auto callee = pop();
    if (problem_) return;
    if (pickle_.values[callee].kind != ValueKind::kGlobal) return fail("it calls what is no name");
    if (pickle_.values[arguments].kind != ValueKind::kTuple) return fail("it calls with no tuple of arguments");
    push_kind(ValueKind::kCall, {callee, arguments});
  }

  void long_integer(std::uint64_t byte_count) {
    const auto bytes = take(byte_count);
    if (problem_) return;
    if (bytes.size() > 8) return push_text(ValueKind::kBigInteger, bytes);
    auto value = little_endian(std::as_bytes(std::span(bytes)), bytes.size());
    const bool negative = !bytes.empty() && (static_cast<unsigned char>(bytes.back()) & 0x80U) != 0;
    if (negative && bytes.size() < 8) value |= ~std::uint64_t{0} << (8 * bytes.size());
    push_integer(static_cast<std::int64_t>(value));
  }

  void binary_float() {
    std::uint64_t bits = 0;  // big-endian, unlike all other numbers
    for (const char byte : take(8)) bits = bits << 8U | static_cast<unsigned char>(byte);
    push_value({ValueKind::kNumber, 0, std::bit_cast<double>(bits), {}, {}});
  }

  void tuple_of(std::size_t count) {
    std::vector<ValueId> items(count);
    for (auto i = count; i-- > 0;) items[i] = pop();
    push_kind(ValueKind::kTuple, std::move(items));
  }

  void step(std::uint8_t opcode) {
    switch (opcode) {
      case kProto: {
        const auto protocol = number(1);
        if (protocol < 2 || protocol > 5) fail("a pickle of protocol " + std::to_string(protocol));
        return;
      }
      case kFrame: (void)number(8); return;  // only a hint for buffering
      case kMark:
        if (marks_.size() == kMaxValues) return fail("its stack grows too deep");
        return marks_.push_back(stack_.size());
      case kPop:
        if (stack_.size() == floor() && !marks_.empty()) return marks_.pop_back();
        return static_cast<void>(pop());
      case kPopMark: return static_cast<void>(pop_to_mark());
      case kDup:
        if (stack_.size() <= floor()) return fail("it takes a value from an empty stack");
        return push(stack_.back());

      case kNone: return push_kind(ValueKind::kNone);
      case kNewTrue: return push_integer(1, ValueKind::kBool);
      case kNewFalse: return push_integer(0, ValueKind::kBool);
      case kBinInt: return push_integer(static_cast<std::int32_t>(number(4)));
      case kBinInt1: return push_integer(static_cast<std::int64_t>(number(1)));
      case kBinInt2: return push_integer(static_cast<std::int64_t>(number(2)));
      case kLong1: return long_integer(number(1));
      case kLong4: return long_integer(number(4));
      case kBinFloat: return binary_float();

      case kShortBinUnicode: return push_text(ValueKind::kText, take(number(1)));
      case kBinUnicode: return push_text(ValueKind::kText, take(number(4)));
      case kBinUnicode8: return push_text(ValueKind::kText, take(number(8)));
      // Python 2's str; keys and storage names use it.
      case kShortBinString: return push_text(ValueKind::kText, take(number(1)));
      case kBinString: return push_text(ValueKind::kText, take(number(4)));
      case kShortBinBytes: return push_text(ValueKind::kBytes, take(number(1)));
      case kBinBytes: return push_text(ValueKind::kBytes, take(number(4)));
      case kBinBytes8: return push_text(ValueKind::kBytes, take(number(8)));
      case kByteArray8: return push_text(ValueKind::kBytes, take(number(8)));

      case kEmptyTuple: return push_kind(ValueKind::kTuple);
      case kTuple1: return tuple_of(1);
      case kTuple2: return tuple_of(2);
      case kTuple3: return tuple_of(3);
      case kTuple: return push_kind(ValueKind::kTuple, pop_to_mark());
      case kEmptyList: return push_kind(ValueKind::kList);
      case kList: return push_kind(ValueKind::kList, pop_to_mark());
      case kAppend: return extend({pop()}, ValueKind::kList);
      case kAppends: return extend(pop_to_mark(), ValueKind::kList);
      case kEmptySet: return push_kind(ValueKind::kSet);
      case kFrozenSet: return push_kind(ValueKind::kSet, pop_to_mark());
      case kAddItems: return extend(pop_to_mark(), ValueKind::kSet);
      case kEmptyDict: return push_kind(ValueKind::kDict);
      case kDict: {
        auto items = pop_to_mark();
        push_kind(ValueKind::kDict);
        return extend(std::move(items), ValueKind::kDict);
      }
      case kSetItem: {
        const auto value = pop();
        const auto key = pop();
        return extend({key, value}, ValueKind::kDict);
      }
      case kSetItems: return extend(pop_to_mark(), ValueKind::kDict);

      case kBinPut: return remember(number(1));
      case kLongBinPut: return remember(number(4));
      case kMemoize: return remember(memo_.size());
      case kBinGet: return recall(number(1));
      case kLongBinGet: return recall(number(4));

      case kGlobal: {
        const auto module = line();
        const auto name = line();
        return global(module, name);
      }
      case kStackGlobal: return stack_global();
      case kReduce:
      case kNewObj: return call();
      // Ignores the state of an object that is read as a container (OrderedDict's _metadata) or not read (numpy's
      // dtype).
      case kBuild: return static_cast<void>(pop());
      case kBinPersId: {
        const auto id = pop();
        return push_kind(ValueKind::kPersistent, {id});
      }
      default: return fail("opcode " + hex(opcode) + ", which torch.save does not write");
    }
  }

  std::string_view bytes_;
  std::span<const std::string_view> allowed_;
  std::size_t at_{0};
  std::size_t opcode_at_{0};
  std::optional<Error> problem_;
  std::vector<ValueId> stack_;
  std::vector<std::size_t> marks_;  // heights of the stack
  std::unordered_map<std::uint64_t, ValueId> memo_;
  Pickle pickle_;
};

}  // namespace

Outcome<Pickle> read_pickle(std::string_view bytes, std::span<const std::string_view> allowed) {
  return Reader(bytes, allowed).run();
}

}  // namespace yolod::model::checkpoint
