#include "common/json_splitter.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace yolod::common {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

using Marks = std::array<bool, 256>;

constexpr Marks marks_of(std::string_view characters) {
  Marks marks{};
  for (const char c : characters) marks[static_cast<unsigned char>(c)] = true;
  return marks;
}
// The bytes that end a run of other bytes in the structure, and a run of numbers within a value.
constexpr Marks kStructureMarks = marks_of("\"[]{}:");
constexpr Marks kValueMarks = marks_of("\"[]{}");

void find_mark(const Marks& marks, std::string_view json, std::size_t& at, std::size_t until) {
  while (at < until && !marks[static_cast<unsigned char>(json[at])]) ++at;
}

}  // namespace

bool find_string_end(std::string_view json, std::size_t& at, std::size_t until) {
  const std::string_view text = json.substr(0, until);
  std::size_t quote = 0;
  while (at < until) {
    if (quote <= at) quote = std::min(text.find('"', at), until);
    const auto backslash = text.substr(at, quote - at).find('\\');
    if (backslash == std::string_view::npos) {
      at = quote;
      return at < until;
    }
    at += backslash + 2;  // the next character is a part of the string, whatever it is
  }
  return false;
}

Outcome<bool> JsonSplitter::step(std::size_t budget_bytes) {
  const std::size_t until = std::min(json_.size(), at_ + std::min(budget_bytes, json_.size()));
  while (at_ < until && why_.empty()) {
    switch (state_) {
      case State::kStructure: {
        const std::size_t begin = at_;
        find_mark(kStructureMarks, json_, at_, until);
        const std::string_view run = json_.substr(begin, at_ - begin);
        after_key_ = after_key_ && std::all_of(run.begin(), run.end(), is_blank);
        keep(run);
        if (at_ < until && why_.empty()) see_structure(json_[at_++]);
        break;
      }
      case State::kString:
        if (!find_string_end(json_, at_, until)) break;
        after_key_ = is_key(json_.substr(string_begin_, at_ - string_begin_));
        keep(json_.substr(string_begin_ - 1, at_ - string_begin_ + 2));
        ++at_;
        state_ = State::kStructure;
        break;
      case State::kBeforeValue: {
        const char c = json_[at_];
        if (is_blank(c)) {
          ++at_;
        } else {
          begin_value(c);
        }
        break;
      }
      case State::kValue:
        find_mark(kValueMarks, json_, at_, until);
        if (at_ < until) see_value(json_[at_++]);
        break;
      case State::kValueString: {
        if (!find_string_end(json_, at_, until)) break;
        Value& value = values_.back();
        if (value.strings.size() < kMostStrings) {
          value.strings.push_back(json_.substr(string_begin_, at_ - string_begin_));
        }
        ++value.string_count;
        ++at_;
        state_ = State::kValue;
        break;
      }
      case State::kTextList: see_text_list(json_[at_]); break;
      case State::kTextValue:
        if (find_string_end(json_, at_, until)) end_text();
        break;
      case State::kAfterObject:
        if (end_ == End::kOfObject) return true;
        while (at_ < until && is_blank(json_[at_])) ++at_;
        if (at_ < until) stop("there is text after the object");
        break;
    }
  }
  const bool has_ended = state_ == State::kAfterObject && (end_ == End::kOfObject || at_ >= json_.size());
  if (why_.empty() && has_ended) return true;
  if (why_.empty() && at_ < json_.size()) return false;
  if (why_.empty()) why_ = "the text ends within its object";
  return Error{ErrorCode::kBadRequest, std::string(rule_.complaint) + why_};
}

bool JsonSplitter::is_key(std::string_view text) {
  if (text.empty() || std::find(rule_.keys.begin(), rule_.keys.end(), text) == rule_.keys.end()) return false;
  key_ = text;
  return true;
}

void JsonSplitter::see_structure(char c) {
  const bool was_key = std::exchange(after_key_, false);
  if (c == '"') {
    string_begin_ = at_;
    state_ = State::kString;
    return;
  }
  keep({&c, 1});
  if (c == '{' || c == '[') {
    if (nesting_.size() == kMostDepth) return stop("it is nested deeper than 100");
    nesting_ += c;
  } else if (c == '}' || c == ']') {
    if (nesting_.empty() || (nesting_.back() == '{') != (c == '}')) return stop("a bracket does not match");
    nesting_.pop_back();
    if (!nesting_.empty()) return;
    object_bytes_ = at_;
    state_ = State::kAfterObject;
  } else if (c == ':' && was_key && is_in_place()) {
    state_ = State::kBeforeValue;
  }
}

void JsonSplitter::begin_value(char c) {
  using Kind = Rule::Kind;
  if (c == '[' && rule_.kind == Kind::kTexts) {
    keep("[");
    in_list_ = true;
    state_ = State::kTextList;
    ++at_;
  } else if (c == '[' && rule_.kind == Kind::kArray) {
    if (!add_value()) return;
    value_begin_ = at_;
    value_depth_ = 0;
    state_ = State::kValue;
  } else if (c == '"' && rule_.kind != Kind::kArray) {
    begin_text();
  } else {
    stop_at_value();
  }
}

void JsonSplitter::stop_at_value() {
  std::string_view allowed = "an array";
  if (rule_.kind == Rule::Kind::kText) allowed = "a text";
  if (rule_.kind == Rule::Kind::kTexts) allowed = "a text or a list of texts";
  stop("'" + std::string(key_) + "' must be " + std::string(allowed));
}

bool JsonSplitter::add_value() {
  if (values_.size() == rule_.most_values) {
    stop("it has more than " + std::to_string(rule_.most_values) + (rule_.most_values == 1 ? " picture" : " pictures"));
    return false;
  }
  values_.emplace_back();
  return true;
}

void JsonSplitter::begin_text() {
  if (!add_value()) return;
  string_begin_ = ++at_;
  state_ = State::kTextValue;
}

void JsonSplitter::end_text() {
  values_.back().text = json_.substr(string_begin_, at_ - string_begin_);
  keep_number();
  state_ = in_list_ ? State::kTextList : State::kStructure;
  ++at_;
}

void JsonSplitter::see_text_list(char c) {
  if (c == '"') return begin_text();
  if (c != ',' && c != ']' && !is_blank(c)) return stop_at_value();
  keep({&c, 1});
  ++at_;
  if (c != ']') return;
  in_list_ = false;
  state_ = State::kStructure;
}

void JsonSplitter::see_value(char c) {
  if (c == '"') {
    string_begin_ = at_;
    state_ = State::kValueString;
  } else if (c == '[') {
    if (++value_depth_ > kMostDepth) stop("it is nested deeper than 100");
  } else if (c == ']') {
    if (--value_depth_ != 0) return;
    values_.back().text = json_.substr(value_begin_, at_ - value_begin_);
    keep_number();
    state_ = State::kStructure;
  } else {
    stop("'data' may have only numbers, texts, true and false");
  }
}

void JsonSplitter::keep_number() {
  // Without the blanks, JSON with a missing comma could become one number: "b"2 would be 12.
  keep(" " + std::to_string(values_.size() - 1) + " ");
}

void JsonSplitter::keep(std::string_view text) {
  if (skeleton_.size() + text.size() > kMostSkeletonBytes) {
    return stop(rule_.kind == Rule::Kind::kArray ? "it is longer than 32 KiB without its data"
                                                 : "it is longer than 32 KiB without its pictures");
  }
  skeleton_ += text;
}

void JsonSplitter::stop(std::string why) {
  if (why_.empty()) why_ = std::move(why);
}

}  // namespace yolod::common
