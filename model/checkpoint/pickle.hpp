// Reads Python's pickles as plain values. It never imports, calls or constructs anything: a call in the pickle
// becomes a value that describes the call, and only names that the caller allows are accepted.
//
// Lib/pickletools.py in CPython's sources describes the format. The reader supports protocols 2 to 5, but no text
// opcodes of protocols 0 and 1, because torch.save does not write them.
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
  kCall,  // items: the callee (a kGlobal), its arguments (a kTuple), then as in kDict or kList the items put into it
  kPersistent,  // items: one value, which identifies an object that is stored elsewhere
};

struct Value {
  ValueKind kind{ValueKind::kNone};
  std::int64_t integer{0};
  double number{0};
  std::string_view text{};  // refers to the pickle's bytes or to the allowed names, which must outlive it
  std::vector<ValueId> items{};
};

// Values refer to each other by index, so values can be shared. A value may contain itself; code that takes a fixed
// number of steps from the root is safe.
struct Pickle {
  std::vector<Value> values;
  ValueId root{0};
  std::size_t size_bytes{0};  // including its STOP

  [[nodiscard]] const Value& at(ValueId id) const { return values[id]; }
  [[nodiscard]] const Value& root_value() const { return values[root]; }
};

// Reads the pickle at the start of `bytes`. Any bytes are safe: the memory is bounded by their number and by limits
// far above every checkpoint. `allowed` lists the names, "module.name", that the pickle may contain. An Error has
// code kBadModel and says what is wrong at which byte, without the file's name.
[[nodiscard]] common::Outcome<Pickle> read_pickle(std::string_view bytes, std::span<const std::string_view> allowed);

}  // namespace yolod::model::checkpoint
