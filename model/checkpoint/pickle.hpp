// Python's pickles, read as plain values. Nothing is ever imported, called or built: what a pickle asks to be called
// becomes a value that says so, and only names that the caller allows may be asked for.
//
// The format: protocols 2 to 5 of Lib/pickletools.py in CPython's sources; of the text opcodes of protocols 0 and 1,
// which torch.save does not write, none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::model::checkpoint {

using ValueId = std::uint32_t;

enum class ValueKind : std::uint8_t {
  kNone,
  kBool,        // integer: 0 or 1
  kInteger,     // integer
  kBigInteger,  // text: more than 64 bits, little-endian two's complement
  kNumber,      // number
  kText,        // text: UTF-8, not checked
  kBytes,       // text
  kTuple,       // items
  kList,        // items
  kSet,         // items
  kDict,        // items: key, value, key, value
  kGlobal,      // text: "module.name"
  kCall,  // items: what is called (a kGlobal), its arguments (a kTuple), then as kDict or kList what was put into it
  kPersistent,  // items: one, what names the object that is kept elsewhere
};

struct Value {
  ValueKind kind{ValueKind::kNone};
  std::int64_t integer{0};
  double number{0};
  std::string_view text{};  // of the pickle's bytes or the allowed names, which must outlive it
  std::vector<ValueId> items{};
};

// Values refer to each other by index: shared ones are shared, and a value that contains itself does no harm to those
// who take a fixed number of steps from the root.
struct Pickle {
  std::vector<Value> values;
  ValueId root{0};
  std::size_t size_bytes{0};  // up to and with its STOP

  [[nodiscard]] const Value& at(ValueId id) const { return values[id]; }
  [[nodiscard]] const Value& root_value() const { return values[root]; }
};

// Reads the pickle that `bytes` begin with. Any bytes are safe; what is allocated is bounded by their number and by
// limits far above any checkpoint's. `allowed` are the names, "module.name", that it may hold. An Error is kBadModel
// and says what is wrong at which byte, without naming a file.
[[nodiscard]] common::Outcome<Pickle> read_pickle(std::string_view bytes, std::span<const std::string_view> allowed);

}  // namespace yolod::model::checkpoint
