#include "app/proto_text.hpp"

#include <utility>

#include "common/text.hpp"

namespace yolod::app {
namespace {

using common::Error;
using common::ErrorCode;
using common::Outcome;

constexpr int kMostDepth = 16;

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-' || c == '+';
}

class ProtoParser {
 public:
  explicit ProtoParser(std::string_view text) : text_(text) {}

  Outcome<ProtoMessage> parse() {
    ProtoMessage root;
    if (!read_fields(root, '\0', 0)) return Error{ErrorCode::kBadConfig, "line " + std::to_string(line_) + ": " + why_};
    return root;
  }

 private:
  bool fail(std::string why) {
    why_ = std::move(why);
    return false;
  }

  // Moves over blanks, comments, and the separators that protobuf text allows between fields.
  void skip_blanks(bool with_separators) {
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size()) - 1;
      } else if (c == '\n') {
        ++line_;
      } else if (c != ' ' && c != '\t' && c != '\r' && !(with_separators && (c == ',' || c == ';'))) {
        return;
      }
    }
  }
  [[nodiscard]] char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  std::string read_word() {
    const std::size_t begin = at_;
    while (is_word_character(next())) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  // Reads fields up to `end`, or to the end of the text if `end` is '\0'.
  bool read_fields(ProtoMessage& message, char end, int depth) {
    for (;;) {
      skip_blanks(true);
      if (at_ == text_.size()) return end == '\0' || fail(std::string("the text ends before a closing ") + end);
      if (end != '\0' && next() == end) {
        ++at_;
        return true;
      }
      ProtoField field;
      field.line = line_;
      field.name = read_word();
      if (field.name.empty()) return fail("a field's name is expected, not " + shown_character());
      skip_blanks(false);
      const bool has_colon = next() == ':';
      if (has_colon) ++at_;
      skip_blanks(false);
      if (next() == '[') {
        if (!read_list(message, field, depth)) return false;
      } else if (!has_colon && next() != '{' && next() != '<') {
        return fail("':' or '{' is expected after " + common::printable(field.name, 50));
      } else {
        if (!read_value(field, depth)) return false;
        message.fields.push_back(std::move(field));
      }
    }
  }

  bool read_list(ProtoMessage& message, const ProtoField& field, int depth) {
    ++at_;
    for (;;) {
      skip_blanks(true);
      if (next() == ']') {
        ++at_;
        return true;
      }
      if (at_ == text_.size()) return fail("the text ends before a closing ]");
      ProtoField element = field;
      element.line = line_;
      if (!read_value(element, depth)) return false;
      message.fields.push_back(std::move(element));
    }
  }

  bool read_value(ProtoField& field, int depth) {
    const char c = next();
    if (c == '{' || c == '<') {
      if (depth == kMostDepth) return fail("the messages are nested too deep");
      ++at_;
      field.kind = ProtoField::Kind::kMessage;
      return read_fields(field.message, c == '{' ? '}' : '>', depth + 1);
    }
    if (c == '"' || c == '\'') {
      field.kind = ProtoField::Kind::kText;
      return read_text(field.text);
    }
    field.text = read_word();
    return !field.text.empty() || fail("a value is expected, not " + shown_character());
  }

  // Reads one string, or several that follow one another and are one.
  bool read_text(std::string& text) {
    while (next() == '"' || next() == '\'') {
      const char quote = text_[at_++];
      while (at_ < text_.size() && text_[at_] != quote) {
        if (text_[at_] == '\n') return fail("a string ends with its line");
        if (text_[at_] == '\\') {
          ++at_;
          const char escaped = next();
          if (escaped != '\\' && escaped != '"' && escaped != '\'' && escaped != '/') {
            return fail("of the escapes in strings only \\\\, \\\" and \\' are read");
          }
        }
        text += text_[at_++];
      }
      if (at_ == text_.size()) return fail("a string has no end");
      ++at_;
      skip_blanks(false);
    }
    return true;
  }

  [[nodiscard]] std::string shown_character() const {
    return at_ == text_.size() ? "the end of the text" : "'" + common::printable(text_.substr(at_, 1), 4) + "'";
  }

  const std::string_view text_;
  std::size_t at_{0};
  std::size_t line_{1};
  std::string why_;
};

}  // namespace

Outcome<ProtoMessage> parse_proto_text(std::string_view text) {
  if (text.size() > kMostProtoBytes) {
    return Error{ErrorCode::kBadConfig, "the text has more than " + std::to_string(kMostProtoBytes) + " bytes"};
  }
  return ProtoParser(text).parse();
}

}  // namespace yolod::app
