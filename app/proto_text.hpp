// Parses protobuf text format, as config.pbtxt of Triton's model repositories has it, into a tree of fields. It knows
// no message types: a field has a name and one value, and a list is a repeated field. The text may come from anywhere;
// time and memory are proportional to its length. Pure function; any thread may call it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/outcome.hpp"

namespace yolod::app {

struct ProtoField;

struct ProtoMessage {
  std::vector<ProtoField> fields;
};

struct ProtoField {
  enum class Kind {
    kWord,     // a number, true, or a name such as TYPE_FP32
    kText,     // a string in quotes
    kMessage,  // { ... }
  };

  std::string name;
  Kind kind{Kind::kWord};
  std::string text;      // of a word, or the content of a string
  ProtoMessage message;  // of a message
  std::size_t line{0};   // from 1
};

inline constexpr std::size_t kMostProtoBytes = 64 * 1024;

// An Error has code kBadConfig: "line 3: ...". A text of more than kMostProtoBytes is an Error.
[[nodiscard]] common::Outcome<ProtoMessage> parse_proto_text(std::string_view text);

}  // namespace yolod::app
