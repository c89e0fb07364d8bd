#include "common/json_splitter.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace yolod::common {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Returns true for each byte that ends a run of numbers within a value.
constexpr std::array<bool, 256> make_value_marks() {
  std::array<bool, 256> marks{};
  for (const unsigned char c : {'"', '[', ']', '{', '}'}) marks[c] = true;
  return marks;
}
constexpr auto kValueMarks = make_value_marks();

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
      case State::kStructure: see_structure(json_[at_++]); break;
      case State::kString:
        if (!find_string_end(json_, at_, until)) break;
        after_key_ = json_.substr(string_begin_, at_ - string_begin_) == rule_.key;
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
        while (at_ < until && !kValueMarks[static_cast<unsigned char>(json_[at_])]) ++at_;
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
      case State::kTextValue:
        if (!find_string_end(json_, at_, until)) break;
        values_.back().text = json_.substr(string_begin_, at_ - string_begin_);
        keep(std::to_string(values_.size() - 1));
        ++at_;
        state_ = State::kStructure;
        break;
      case State::kAfterObject:
        if (end_ == End::kOfObject) return true;
        while (at_ < until && is_blank(json_[at_])) ++at_;
        if (at_ < until) stop("there is text after the object");
        break;
    }
  }
  if (!why_.empty()) return Error{ErrorCode::kBadRequest, "failed to parse the request JSON buffer: " + why_};
  if (state_ == State::kAfterObject && (end_ == End::kOfObject || at_ >= json_.size())) return true;
  if (at_ < json_.size()) return false;
  return Error{ErrorCode::kBadRequest, "failed to parse the request JSON buffer: the text ends within its object"};
}

void JsonSplitter::see_structure(char c) {
  const bool was_key = !is_blank(c) && std::exchange(after_key_, false);
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
  const bool is_array = rule_.kind == Rule::Kind::kArray;
  if (c != (is_array ? '[' : '"')) {
    return stop("'" + std::string(rule_.key) + (is_array ? "' must be an array" : "' must be a text"));
  }
  value_begin_ = at_;
  value_depth_ = 0;
  values_.emplace_back();
  state_ = State::kValue;
  if (is_array) return;
  string_begin_ = ++at_;
  state_ = State::kTextValue;
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
    keep(std::to_string(values_.size() - 1));
    state_ = State::kStructure;
  } else {
    stop("'data' may have only numbers, texts, true and false");
  }
}

void JsonSplitter::keep(std::string_view text) {
  if (skeleton_.size() + text.size() > kMostSkeletonBytes) {
    return stop("it is longer than 32 KiB without its data");
  }
  skeleton_ += text;
}

void JsonSplitter::stop(std::string_view why) {
  if (why_.empty()) why_ = why;
}

}  // namespace yolod::common
